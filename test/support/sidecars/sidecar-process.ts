import { onTestFinished } from 'vitest';
import { ServeProcess } from './serve-process.js';

export { type Exit, freePort } from './serve-process.js';

/** A ServeProcess that is killed at the end of the running test. */
export class SidecarProcess extends ServeProcess {
  constructor(args: readonly string[], env: Record<string, string> = {}, launcher: readonly string[] = []) {
    super(args, env, launcher);
    onTestFinished(() => this.end());
  }
}
