import { onTestFinished } from 'vitest';
import { ServeProcess } from './serve-process.js';

export { type Exit, freePort } from './serve-process.js';

/** A ServeProcess that is killed when the running test ends. */
export class SidecarProcess extends ServeProcess {
  constructor(args: readonly string[], env: Record<string, string> = {}, launcher: readonly string[] = []) {
    super(args, env, launcher);
    onTestFinished(() => this.end());
  }
}
