import { execFileSync } from 'node:child_process';
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';

const root = new URL('../..', import.meta.url).pathname;

/**
 * Copies the files of the repository like a new clone: without installed packages and without build output.
 *
 * @param part path of a folder of the repository: copies only this folder
 */
export function unbuiltClone(folder: string, part = '.'): void {
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 16 << 20 } as const;
  const listed = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', part],
    options,
  );
  // git also lists deleted files whose deletion is not committed yet.
  for (const file of listed.split('\0').filter((name) => name !== '' && existsSync(join(root, name))))
    cpSync(join(root, file), join(folder, file), { verbatimSymlinks: true, preserveTimestamps: true });
}

/** A copy with the installed packages of this clone, because installing them takes a minute. */
export function unbuiltInstalledClone(folder: string): void {
  unbuiltClone(folder);
  execFileSync('cp', ['-al', join(root, 'node_modules'), join(folder, 'node_modules')]);
}
