import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, relative } from 'node:path';

/** What says how the program was started. */
export interface Invocation {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  /** The script, as `process.argv[1]` has it. */
  readonly script: string | undefined;
  readonly workingFolder: string;
  /** The mounts of the process, as /proc/self/mountinfo has them. Empty where there is no such file. */
  readonly mounts: string;
}

/** Container engines mount files from a folder that has the id of the container; the host name may be any other. */
const ENGINES: readonly { readonly command: string; readonly containerId: RegExp }[] = [
  { command: 'podman', containerId: /\/overlay-containers\/([0-9a-f]{64})\/userdata\// },
  { command: 'nerdctl', containerId: /\/nerdctl\/\S*\/containers\/\S*\/([0-9a-f]{64})\// },
  { command: 'docker', containerId: /\/containers\/([0-9a-f]{64})\/(?:hostname|hosts|resolv\.conf) / },
];
/** Of an id, as engines print it. */
const SHORT_ID = 12;

const NAME = 'spread-sidecar';

/** How a person gives another command of this program: `npx spread-sidecar`, `docker exec -it <container> spread-sidecar`, … */
export function programName({ env, pid, script, workingFolder, mounts }: Invocation): string {
  if (pid === 1) return inContainer(env, mounts);
  // npm sets these for npx, npm exec and the scripts of a package, such as npm start in a clone.
  if (env.npm_command !== undefined || env.npm_lifecycle_event !== undefined) return `npx ${NAME}`;
  if (script === undefined || basename(script) === NAME) return NAME;
  const near = relative(workingFolder, script);
  return `node ${quoted(near.startsWith('..') ? script : near)}`;
}

/** A word for a POSIX shell. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./[\]-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Whether the process is the first of a container, so that hints go through its engine. */
export const isFirstProcess = ({ pid }: Pick<Invocation, 'pid'>): boolean => pid === 1;

/** The mounts of this process; see Invocation. */
export function readMounts(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}

/** Kubernetes names the host after the pod, and gives each container the address of its API server. */
function inContainer(env: Invocation['env'], mounts: string): string {
  if (env.KUBERNETES_SERVICE_HOST !== undefined || mounts.includes('/kubelet/pods/'))
    return `kubectl exec -it ${hostname()} -c ${NAME} -- ${NAME}`;
  for (const { command, containerId } of ENGINES) {
    const id = containerId.exec(mounts)?.[1];
    if (id !== undefined) return `${command} exec -it ${id.slice(0, SHORT_ID)} ${NAME}`;
  }
  // An engine that is not known: the command is right inside of the container.
  return NAME;
}
