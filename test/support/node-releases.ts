import { join } from 'node:path';
import { runCommand } from './run-command.js';
import { temporaryFolder } from './tmp.js';

/** A release of each Node version that the project supports. */
export const NODE_RELEASES = ['20.20.2', '22.23.5', '24.22.3', '26.12.1'] as const;

/** Arguments of npm that install packages without output about funding and audits. */
export const INSTALL = ['install', '--no-audit', '--no-fund', '--prefer-offline'];

/** A folder for PATH with this Node, from the npm registry. */
export async function nodeFolder(version: string): Promise<string> {
  const folder = temporaryFolder();
  const name = `node-linux-${process.arch}`;
  await runCommand('npm', [...INSTALL, '--ignore-scripts', '--prefix', folder, `${name}@${version}`]);
  return join(folder, 'node_modules', name, 'bin');
}
