import type { Command } from './clients/index.mjs';

/** What the suite needs of a Testcontainers module. */
export interface Module {
  /** Builds and checks what is not built. */
  prepare(): Promise<void>;
  /** Its own tests. They want SPREAD_SIDECAR_IMAGE and TEST_TLS_FOLDER. */
  test(): Command;
}

export declare const modules: Readonly<Record<'python' | 'go' | 'java', Module>>;
