import { DEFAULT_TARGET } from './connection.js';
import type { Output } from './output.js';

/** Where a sidecar that has started can be found. */
export interface Place {
  /** As gRPC clients take them. */
  readonly grpc: readonly string[];
  readonly admin?: string;
  /** The embedded daemon, as spread names. */
  readonly daemon?: { readonly tcp?: string; readonly unix?: string };
  /** Other default daemons, as spread names. */
  readonly daemons: readonly string[];
  /** Whether it is connected to a daemon. */
  readonly ready: boolean;
  /** The container that it is the first process of. */
  readonly container?: Container;
}

/** A container, as those who give commands in it know it. */
export interface Container {
  /** Engines make it of the container's id, Kubernetes of the pod's name. */
  readonly hostname: string;
  readonly inKubernetes: boolean;
}

/** What is said when the sidecar has started: where it is, and what to try next. */
export function welcome(version: string, place: Place, colors: Output['colors']): string {
  const [target = DEFAULT_TARGET] = place.grpc.map(toReach);
  const t = target === DEFAULT_TARGET ? '' : ` -t ${target}`;
  const command = place.container ? commandIn(place.container) : 'npx spread-sidecar';
  const state = place.ready
    ? colors.green('ready')
    : colors.yellow('started, not yet connected to a Spread daemon');
  const lines = [`spread-sidecar ${version} is ${state}`, `  gRPC    ${place.grpc.join(', ')}`];
  if (place.admin)
    lines.push(`  admin   http://${place.admin} (/metrics, /livez, /readyz, /startupz, gRPC health)`);
  lines.push(`  daemon  ${daemonText(place)}`);
  lines.push(
    '',
    'Try this in two other terminals, and join a group in both:',
    `  ${command} user${t}`,
    'Or this, in one and the other:',
    `  ${command} receive cats --follow${t}`,
    `  ${command} send cats -m hello${t}`,
  );
  return lines.join('\n');
}

const commandIn = ({ hostname, inKubernetes }: Container) =>
  inKubernetes
    ? `kubectl exec -it ${hostname} -c spread-sidecar -- spread-sidecar`
    : `docker exec -it ${hostname} spread-sidecar`;

/** Where all addresses are listened at, this machine's own is one of them. */
const toReach = (address: string) => address.replace(/^(0\.0\.0\.0|\[::\]):/, '127.0.0.1:');

function daemonText({ daemon, daemons }: Place): string {
  if (!daemon) return daemons.join(', then ');
  const names = [daemon.tcp, daemon.unix].filter((name) => name !== undefined);
  return `${names.join(', ')} (embedded: a single node for development and tests)`;
}
