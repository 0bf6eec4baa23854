// All clients by language: how to generate, prepare, test and drive them. Each has its own file.
import { existsSync } from 'node:fs';
import { typescript } from './typescript.mjs';

/**
 * A command of a client, run by the suites.
 *
 * @typedef {{
 *   readonly command: string,
 *   readonly args: readonly string[],
 *   readonly cwd?: string,
 *   readonly env?: Record<string, string>,
 * }} Command
 */

/**
 * What the suites need of a client. `generated` names folders of generated code, from the root. `moduleBench` is a program over the
 * module `spread`, which also runs over the genuine C wrapper. `lacks` names the features of the conformance suite that the client does not have yet.
 *
 * @typedef {{
 *   readonly language: string,
 *   readonly title?: string,
 *   readonly enable: string,
 *   readonly lacks?: readonly string[],
 *   isAvailable(env?: NodeJS.ProcessEnv): boolean,
 *   readonly generated: readonly string[],
 *   generate?(): Promise<void>,
 *   prepare(): Promise<void>,
 *   test?(): Command,
 *   driver(): Command,
 *   asyncDriver?(): Command,
 *   moduleBench?(args: readonly string[]): Command,
 *   example?(name: string, args: readonly string[]): Command,
 * }} Client
 */

/** In the order of the tables. To add a language, add its file. */
const others = ['python', 'go', 'java', 'rust'];

/** @type {Client[]} */
export const clients = [typescript];
for (const language of others) {
  const file = new URL(`${language}.mjs`, import.meta.url);
  if (existsSync(file)) clients.push((await import(file.href))[language]);
}
