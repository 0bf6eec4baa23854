import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { TcpAddress, UnixAddress } from '../../config/index.js';

/** The sidecar that is the main process of a container. */
export interface ContainerSidecar {
  readonly pid: number;
  /** Whether this sidecar listens at the address. */
  listensAt(address: TcpAddress | UnixAddress): boolean;
}

interface Process {
  readonly pid: number;
  /** 0 if the parent process is outside the container. */
  readonly parent: number;
  readonly command: readonly string[];
}

const PROGRAMS: ReadonlySet<string> = new Set(['spread-sidecar', 'spread-sidecar.mjs']);
/** The state of a listening TCP socket in /proc/net/tcp. */
const TCP_LISTEN = '0A';
/** The flag of a listening Unix socket in /proc/net/unix. */
const UNIX_LISTEN = 0x10000;

/**
 * Finds the sidecar of the container in which this process runs, on Linux. A sidecar on a host, or one that
 * another program of the container started, is not the container's main process. A command cannot know whether its
 * user wants a second sidecar there.
 *
 * @param proc - mount point of the proc file system
 */
export async function findContainerSidecar(proc = '/proc'): Promise<ContainerSidecar | undefined> {
  const processes = await readProcesses(proc);
  const candidates = [...processes.values()].filter(
    (one) => isSidecar(one) && mainProcessOf(one, processes)?.command.some(isProgram),
  );
  if (candidates.length === 0) return undefined;
  const listening = await readListening(proc);
  for (const { pid } of candidates) {
    const sockets = await socketsOf(proc, pid);
    const own = listening.filter(({ inode }) => sockets.has(inode));
    // The command line of an init process that the engine adds contains the command of the sidecar.
    if (own.length === 0) continue;
    return {
      pid,
      listensAt: (address) =>
        own.some(({ port, path }) =>
          address.kind === 'tcp'
            ? port === address.port
            : path !== undefined && isBindPath(path, resolve(address.path)),
        ),
    };
  }
  return undefined;
}

const isProgram = (word: string) => PROGRAMS.has(basename(word));

function isSidecar({ command, pid }: Process): boolean {
  const at = command.findIndex(isProgram);
  return pid !== process.pid && at >= 0 && command.indexOf('serve', at) > at;
}

/** The ancestor that the container engine started. */
function mainProcessOf(one: Process, all: ReadonlyMap<number, Process>): Process | undefined {
  let found: Process | undefined = one;
  // A process can end during the scan. Its ID can then be reused by a descendant of its own child.
  for (let steps = all.size; found && found.parent !== 0 && steps > 0; steps -= 1)
    found = all.get(found.parent);
  return found?.parent === 0 ? found : undefined;
}

/**
 * The kernel reports the path at the time of bind. A sidecar binds at a temporary path and then moves the file.
 */
const isBindPath = (bound: string, path: string): boolean =>
  bound === path || (dirname(resolve(bound)) === dirname(path) && /^\.[0-9a-z]+$/.test(basename(bound)));

async function readProcesses(proc: string): Promise<Map<number, Process>> {
  const names = await readdir(proc).catch(() => []);
  const processes = new Map<number, Process>();
  for (const name of names.filter((one) => /^\d+$/.test(one))) {
    // Processes can end during the scan.
    const [stat, command] = await Promise.all(
      ['stat', 'cmdline'].map((file) => readFile(join(proc, name, file), 'utf8').catch(() => '')),
    );
    // The second field is a name in parentheses, which can contain spaces and parentheses.
    const parent = /^.*\) \S (\d+) /s.exec(stat!)?.[1];
    if (parent === undefined) continue;
    const pid = Number(name);
    processes.set(pid, { pid, parent: Number(parent), command: command!.split('\0') });
  }
  return processes;
}

/** A socket that some process of this network namespace listens on. */
interface ListeningSocket {
  readonly inode: string;
  readonly port?: number;
  readonly path?: string;
}

async function readListening(proc: string): Promise<ListeningSocket[]> {
  const [tcp, tcp6, unix] = await Promise.all(
    ['tcp', 'tcp6', 'unix'].map((name) => readTable(join(proc, 'net', name))),
  );
  const sockets: ListeningSocket[] = [];
  for (const [, local = '', , state, , , , , , inode = ''] of [...tcp!, ...tcp6!])
    if (state === TCP_LISTEN) sockets.push({ inode, port: Number.parseInt(local.split(':')[1]!, 16) });
  for (const [, , , flags = '', , , inode = '', path] of unix!)
    if (Number.parseInt(flags, 16) & UNIX_LISTEN && path !== undefined) sockets.push({ inode, path });
  return sockets;
}

/** The inodes of the sockets that a process has open. */
async function socketsOf(proc: string, pid: number): Promise<Set<string>> {
  const folder = join(proc, String(pid), 'fd');
  const names = await readdir(folder).catch(() => []);
  const targets = await Promise.all(names.map((name) => readlink(join(folder, name)).catch(() => '')));
  return new Set(targets.map((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? '').filter(Boolean));
}

/** The rows of a table below /proc/net, without its heading. */
async function readTable(file: string): Promise<string[][]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .split('\n')
    .slice(1)
    .map((row) => row.trim().split(/\s+/));
}
