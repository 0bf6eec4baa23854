import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A fresh folder; with a short name, because a Unix socket path may have 107 bytes at most. */
export function freshFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'spf-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
