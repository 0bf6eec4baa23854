/** What the suites need of a client; each has a file here. */
export interface Client {
  readonly language: string;
  /** As people write it. */
  readonly title?: string;
  /** How to get what it needs. */
  readonly enable: string;
  isAvailable(env?: NodeJS.ProcessEnv): boolean;
  /** Folders of generated code, from the root. */
  readonly generated: readonly string[];
  generate?(): Promise<void>;
  /** Builds what is not built. */
  prepare(): Promise<void>;
  /** Its own tests. */
  test?(): Command;
  driver(): Command;
  asyncDriver?(): Command;
  /** A program over the module `spread`; it also runs over the genuine C wrapper. */
  moduleBench?(args: readonly string[]): Command;
  example?(name: string, args: readonly string[]): Command;
}

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Record<string, string>;
}

export declare const clients: readonly Client[];
