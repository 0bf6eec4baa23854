import { expect, onTestFinished } from 'vitest';
import { linesOutsideSchema } from '../log-schema.js';
import { ServeProcess } from './serve-process.js';

export { type Exit, freePort } from './serve-process.js';

/**
 * A ServeProcess that is killed at the end of the running test. The test fails if the log in JSON deviates from
 * docs/logs.md.
 */
export class SidecarProcess extends ServeProcess {
  constructor(args: readonly string[], env: Record<string, string> = {}, launcher: readonly string[] = []) {
    super(args, env, launcher);
    onTestFinished(async () => {
      await this.end();
      expect(linesOutsideSchema(this.stderr)).toEqual([]);
    });
  }
}
