import type { Suggestion } from './connection/suggested-options.js';
import type { Output } from './terminal/output.js';

/** The addresses and the state of a started sidecar. */
export interface Place {
  /** Targets for gRPC clients. */
  readonly grpc: readonly string[];
  readonly admin?: string | undefined;
  /** Spread names of the embedded daemon. */
  readonly daemon?: { readonly tcp?: string; readonly unix?: string } | undefined;
  /** Spread names of other default daemons. */
  readonly daemons: readonly string[];
  /** Whether it is connected to a daemon. */
  readonly ready: boolean;
  /** The reason why the daemon does not respond, if it is known. */
  readonly daemonProblem?: string | undefined;
}

/** How the reader runs further commands. */
export interface NextSteps extends Suggestion {
  /** The program as it was invoked, such as `npx spread-sidecar`. */
  readonly program: string;
}

/** The text after the start: the addresses of the sidecar, what it waits for, and example commands. */
export function welcome(version: string, place: Place, next: NextSteps, colors: Output['colors']): string {
  const { program, options, notes } = next;
  const daemons = place.daemons.join(', then ');
  const state = place.ready
    ? colors.green('ready')
    : colors.yellow(`started and waiting for the Spread daemon at ${daemons}`);
  const lines = [`spread-sidecar ${version} is ${state}`, `  gRPC    ${place.grpc.join(', ')}`];
  if (place.admin)
    lines.push(`  admin   http://${place.admin} (/metrics, /livez, /readyz, /startupz, gRPC health)`);
  lines.push(`  daemon  ${daemonText(place)}`);
  if (!place.ready)
    lines.push(
      '',
      'Until the daemon responds, clients cannot open mailboxes. The log shows when it responds.',
      'Start that daemon, set another daemon with --daemon-addresses, or run the embedded daemon',
      'for development and tests (stop this command first):',
      `  ${embeddedCommand(program)}`,
    );
  lines.push(
    '',
    place.ready
      ? 'Run this in two other terminals, and join a group in both:'
      : 'When the daemon responds, run this in two other terminals, and join a group in both:',
    `  ${program} user${options}`,
    'Or run one of these commands in each of two terminals:',
    `  ${program} receive cats --follow${options}`,
    `  ${program} send cats -m hello${options}`,
    ...notes,
  );
  return lines.join('\n');
}

/** The engine starts a sidecar in a container, so no command inside can start another one. */
const embeddedCommand = (program: string) =>
  /^(docker|podman|nerdctl|kubectl) /.test(program)
    ? 'spread-sidecar serve --embedded-daemon'
    : `${program} serve --embedded-daemon`;

function daemonText({ daemon, daemons, ready, daemonProblem }: Place): string {
  if (!daemon) {
    const problem = ready || daemonProblem === undefined ? '' : ` (no response yet: ${daemonProblem})`;
    return `${daemons.join(', then ')}${problem}`;
  }
  const names = [daemon.tcp, daemon.unix].filter((name) => name !== undefined);
  return `${names.join(', ')} (embedded: a single node for development and tests)`;
}
