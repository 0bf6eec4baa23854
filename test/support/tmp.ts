import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/**
 * A new folder that is removed at the end of the running test. Its path is short, because a Unix socket path
 * has at most 107 bytes.
 */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sps-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
