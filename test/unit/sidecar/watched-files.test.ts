import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WatchedFiles } from '../../../server/src/sidecar/watched-files.js';
import { temporaryFolder } from '../../support/tmp.js';
import { until } from '../../support/until.js';

function watch(...paths: string[]) {
  const seen = { changes: 0 };
  const files = new WatchedFiles(paths, 10, () => {
    seen.changes++;
  });
  onTestFinished(() => files.stop());
  return { seen, files };
}

const change = (seen: { changes: number }, count: number) =>
  until(() => seen.changes === count, { what: `change ${count}` });

describe('watched files', () => {
  it('report each kind of change once', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'a');
    writeFileSync(path, 'one');
    const { seen } = watch(path, join(folder, 'absent'));
    writeFileSync(join(folder, 'next'), 'two!');
    renameSync(join(folder, 'next'), path);
    await change(seen, 1);
    // The same size, and the same modification time.
    writeFileSync(join(folder, 'b'), 'six!');
    utimesSync(join(folder, 'b'), 1000, 1000);
    utimesSync(path, 1000, 1000);
    await change(seen, 2);
    renameSync(join(folder, 'b'), path);
    await change(seen, 3);
    rmSync(path);
    await change(seen, 4);
    writeFileSync(join(folder, 'absent'), '');
    await change(seen, 5);
  });

  it('detect a link to a new target, as Kubernetes changes a secret', async () => {
    const folder = temporaryFolder();
    for (const version of ['1', '2']) {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, 'token'), 'same');
    }
    symlinkSync('1', join(folder, '..data'));
    symlinkSync('..data/token', join(folder, 'token'));
    const { seen } = watch(join(folder, 'token'));
    symlinkSync('2', join(folder, 'next'));
    renameSync(join(folder, 'next'), join(folder, '..data'));
    await change(seen, 1);
  });

  it('wait until a file that is written in place stays the same for two checks', async () => {
    const path = join(temporaryFolder(), 'a');
    writeFileSync(path, 'a-token-of-the-client\n');
    const seen: string[] = [];
    const files = new WatchedFiles([path], 3_600_000, () => seen.push(readFileSync(path, 'utf8')));
    onTestFinished(() => files.stop());
    for (const part of ['another-token-o', 'another-token-of-the', 'another-token-of-the-client\n']) {
      writeFileSync(path, part);
      await files.look();
    }
    expect(seen).toEqual([]);
    await files.look();
    expect(seen).toEqual(['another-token-of-the-client\n']);
    await files.look();
    expect(seen).toHaveLength(1);
  });

  it('report nothing once stopped', async () => {
    const path = join(temporaryFolder(), 'a');
    const { seen, files } = watch(path);
    const other = watch(path);
    files.stop();
    writeFileSync(path, '');
    await change(other.seen, 1);
    expect(seen.changes).toBe(0);
  });
});
