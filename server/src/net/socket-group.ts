import { chownSync, readFileSync } from 'node:fs';
import { formatListenAddress, type UnixListenAddress } from './listen-address.js';
import { ListenError } from './listen-error.js';

/** Largest number of a group. The next number means "unchanged" for chown. */
const MAX_GROUP_ID = 2 ** 32 - 2;

/**
 * The number of a group. Names are looked up in /etc/group, because Node has no function for it. Groups of a
 * directory service need their number.
 *
 * @throws ListenError
 */
export function groupId(address: UnixListenAddress, group: string, groupFile = '/etc/group'): number {
  if (/^\d+$/.test(group) && Number(group) <= MAX_GROUP_ID) return Number(group);
  let lines: string[];
  try {
    lines = readFileSync(groupFile, 'utf8').split('\n');
  } catch {
    lines = [];
  }
  for (const line of lines) {
    const [name, , id] = line.split(':');
    if (name === group && /^\d+$/.test(id ?? '')) return Number(id);
  }
  throw new ListenError(
    'GROUP',
    formatListenAddress(address),
    `${groupFile} has no group ${group}`,
    'set another group, or the number of a group',
  );
}

/**
 * @param path - the path of the socket file
 * @throws ListenError
 */
export function giveToGroup(address: UnixListenAddress, path: string, id: number): void {
  try {
    chownSync(path, -1, id);
  } catch (cause) {
    throw new ListenError(
      'GROUP',
      formatListenAddress(address),
      `this user is not permitted to give the socket to group ${address.group}`,
      'add the user to that group, or set one of its groups',
      { cause },
    );
  }
}
