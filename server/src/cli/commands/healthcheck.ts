import { setTimeout as delay } from 'node:timers/promises';
import { Command } from 'commander';
import type { SidecarConfig } from '../../config/index.js';
import { describeFailure } from '../command-failure.js';
import {
  addTargetOptions,
  DEFAULT_TARGET,
  TARGET_VARIABLE,
  type TargetOptions,
  withSidecar,
} from '../connection.js';
import type { CommandContext, Done } from '../context.js';
import { ExitCode } from '../exit-codes.js';
import { loadServeConfig } from '../serve-config.js';
import { durationValue } from '../values.js';

/** Between two questions with --wait. */
const INTERVAL_MS = 100;

interface HealthcheckOptions extends TargetOptions {
  readonly daemon?: boolean;
  readonly quiet?: boolean;
  /** In ms. */
  readonly wait?: number;
}

export function healthcheckCommand(context: CommandContext, done: Done): Command {
  const command = new Command('healthcheck')
    .summary('exit 0 if the sidecar answers, else 1')
    .description(
      'For HEALTHCHECK of a container: exit code 0 if the sidecar answers, else 1 and no other. Without --target it asks the sidecar that the same environment and configuration file would start.',
    )
    .option('-d, --daemon', 'it must also be connected to its default daemon')
    .option('-q, --quiet', 'print nothing')
    .option(
      '-w, --wait <duration>',
      'ask again until all is well, for so long at most, 1ms to 24h',
      durationValue('1ms', '24h'),
    );
  return addTargetOptions(command, context, '3s').action(async (options: HealthcheckOptions) => {
    done(await healthcheck(context, options, command.getOptionValueSource('target') === 'cli'));
  });
}

async function healthcheck(
  context: CommandContext,
  options: HealthcheckOptions,
  named: boolean,
): Promise<number> {
  const end = performance.now() + (options.wait ?? 0);
  for (;;) {
    try {
      const healthy = await ask(context, options, named);
      if (!options.quiet) await context.stdout.line(healthy);
      return ExitCode.ok;
    } catch (error) {
      if (performance.now() < end && !context.signal.aborted) {
        // A signal is seen above, after the next failure.
        await delay(INTERVAL_MS, undefined, { signal: context.signal }).catch(() => {});
        continue;
      }
      const { message } = error instanceof Error && error.name === 'Error' ? error : describeFailure(error);
      if (!options.quiet) await context.stderr.line(`unhealthy: ${message}`);
      // Docker takes 0 and 1 only.
      return ExitCode.failure;
    }
  }
}

/** Says how it is healthy, or throws. */
async function ask(context: CommandContext, options: HealthcheckOptions, named: boolean): Promise<string> {
  const isGiven = named || context.env[TARGET_VARIABLE];
  const where = isGiven ? options : { ...options, ...(await ownSidecar(context, options)) };
  const version = await withSidecar(where, (sidecar) => sidecar.version({ signal: context.signal }));
  if (options.daemon && !version.daemon) throw new Error('the sidecar is not connected to its Spread daemon');
  const daemon = version.daemon
    ? `, Spread ${version.daemon.join('.')} at ${version.daemonAddress}`
    : ', no daemon';
  return `healthy: spread-sidecar ${version.sidecar} at ${where.target}${daemon}`;
}

/** Its Unix socket where it has one, which needs no certificate; and one of its own tokens where it wants any. */
async function ownSidecar(
  context: CommandContext,
  { tls, tokenFile }: TargetOptions,
): Promise<Partial<TargetOptions>> {
  const { grpc } = (await loadServeConfig(context, {})).config;
  const socket = grpc.listen.find(({ kind }) => kind === 'unix');
  const [token] = grpc.tokens;
  return {
    target: targetOf(socket ? [socket] : grpc.listen),
    tls: socket ? tls : tls || grpc.tlsCert !== '',
    ...(tokenFile === undefined && grpc.tokenFile !== '' ? { tokenFile: grpc.tokenFile } : {}),
    ...(tokenFile === undefined && token !== undefined ? { token } : {}),
  };
}

/** How to reach a server that listens at these addresses, from the same machine. */
export function targetOf(listen: SidecarConfig['grpc']['listen']): string {
  const [address] = listen;
  if (address === undefined) return DEFAULT_TARGET;
  if (address.kind === 'unix') return `unix:${address.path}`;
  const host = address.host === '0.0.0.0' ? '127.0.0.1' : address.host === '::' ? '::1' : address.host;
  return host.includes(':') ? `[${host}]:${address.port}` : `${host}:${address.port}`;
}
