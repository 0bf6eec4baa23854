import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new folder with a short name, because a Unix socket path can have at most 107 bytes. */
export function freshFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'spf-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
