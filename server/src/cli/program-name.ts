import { hostname } from 'node:os';
import { basename, relative } from 'node:path';

/** What says how the program was started. */
export interface Invocation {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  /** The script, as `process.argv[1]` has it. */
  readonly script: string | undefined;
  readonly workingFolder: string;
}

const NAME = 'spread-sidecar';

/** How a person gives another command of this program: `npx spread-sidecar`, `docker exec -it <container> spread-sidecar`, … */
export function programName({ env, pid, script, workingFolder }: Invocation): string {
  if (pid === 1) return inContainer(env);
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

/** Engines make the host name of the container's id, Kubernetes of the pod's name; and it tells each where its API server is. */
function inContainer(env: Invocation['env']): string {
  return env.KUBERNETES_SERVICE_HOST === undefined
    ? `docker exec -it ${hostname()} ${NAME}`
    : `kubectl exec -it ${hostname()} -c ${NAME} -- ${NAME}`;
}
