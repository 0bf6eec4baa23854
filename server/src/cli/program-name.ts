import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, relative } from 'node:path';

/** The properties of a process that show how the user started it. */
export interface Invocation {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  /** The script in `process.argv[1]`. */
  readonly script: string | undefined;
  readonly workingFolder: string;
  /** The content of /proc/self/mountinfo. Empty on systems without this file. */
  readonly mounts: string;
}

/**
 * Container engines mount files from a folder that contains the container's ID. The host name may differ from it.
 */
const ENGINES: readonly { readonly command: string; readonly containerId: RegExp }[] = [
  { command: 'podman', containerId: /\/overlay-containers\/([0-9a-f]{64})\/userdata\// },
  { command: 'nerdctl', containerId: /\/nerdctl\/\S*\/containers\/\S*\/([0-9a-f]{64})\// },
  { command: 'docker', containerId: /\/containers\/([0-9a-f]{64})\/(?:hostname|hosts|resolv\.conf) / },
];
/** Length of a short ID, as engines print it. */
const SHORT_ID = 12;

const NAME = 'spread-sidecar';

/**
 * The prefix with which a user runs another command of this program: `npx spread-sidecar`, `docker exec -it
 * <container> spread-sidecar`, …
 */
export function programName({ env, pid, script, workingFolder, mounts }: Invocation): string {
  if (pid === 1) return inContainer(env, mounts);
  // npm sets these variables for npx, npm exec and package scripts such as npm start.
  if (env.npm_command !== undefined || env.npm_lifecycle_event !== undefined) return `npx ${NAME}`;
  if (script === undefined || basename(script) === NAME) return NAME;
  const near = relative(workingFolder, script);
  return `node ${quoted(near.startsWith('..') ? script : near)}`;
}

/** Quotes a word for a POSIX shell. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./[\]-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Whether the process is the first of a container, so that hints go through its engine. */
export const isFirstProcess = ({ pid }: Pick<Invocation, 'pid'>): boolean => pid === 1;

/** The mounts of this process. See Invocation. */
export function readMounts(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}

/** In Kubernetes, the host name is the pod's name, and each container has the address of the API server. */
function inContainer(env: Invocation['env'], mounts: string): string {
  if (env.KUBERNETES_SERVICE_HOST !== undefined || mounts.includes('/kubelet/pods/'))
    return `kubectl exec -it ${hostname()} -c ${NAME} -- ${NAME}`;
  for (const { command, containerId } of ENGINES) {
    const id = containerId.exec(mounts)?.[1];
    if (id !== undefined) return `${command} exec -it ${id.slice(0, SHORT_ID)} ${NAME}`;
  }
  // For an unknown engine, the command works inside the container.
  return NAME;
}
