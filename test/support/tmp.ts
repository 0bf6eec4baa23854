import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A fresh folder that is removed when the running test ends. Short, because a Unix socket path may have 107 bytes at most. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sps-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
