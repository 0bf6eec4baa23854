import { setTimeout as delay } from 'node:timers/promises';
import { Command } from 'commander';
import { describeFailure } from '../command-failure.js';
import { addTargetOptions, type Route, routeTo, type TargetOptions } from '../connection/connection.js';
import { ownSidecar } from '../connection/own-sidecar.js';
import type { CommandContext, Done } from '../context.js';
import { ExitCode } from '../exit-codes.js';
import { durationValue } from '../terminal/values.js';

/** Pause between two checks with --wait. Unit: ms. */
const INTERVAL_MS = 100;

interface HealthcheckOptions extends TargetOptions {
  readonly daemon?: boolean;
  readonly quiet?: boolean;
  /** Unit: ms. */
  readonly wait?: number;
}

export function healthcheckCommand(context: CommandContext, done: Done): Command {
  const command = new Command('healthcheck')
    .summary('exit with 0 if the sidecar responds, else with 1')
    .description(
      'Checks the health of a sidecar, for the HEALTHCHECK of a container image. The exit code is 0 if the sidecar answers a gRPC health check, else 1. Needs no token. Without --target and SPREAD_SIDECAR_TARGET, it checks the sidecar whose configuration is in the environment. If that sidecar uses TLS, the command connects to its Unix socket or admin port. If the sidecar has neither, the command connects with TLS and trusts the certificate of the configuration.',
    )
    .option('-d, --daemon', 'also require that the sidecar is connected to its default daemon')
    .option('-q, --quiet', 'print nothing')
    .option(
      '-w, --wait <duration>',
      'repeat a failed check for at most this time, 1ms to 24h',
      durationValue('1ms', '24h'),
    );
  return addTargetOptions(command, context, '3s').action(async (options: HealthcheckOptions) => {
    done(await healthcheck(context, options));
  });
}

async function healthcheck(context: CommandContext, options: HealthcheckOptions): Promise<number> {
  const end = performance.now() + (options.wait ?? 0);
  for (;;) {
    try {
      const healthy = await ask(context, options);
      if (!options.quiet) await context.stdout.line(healthy);
      return ExitCode.ok;
    } catch (error) {
      if (performance.now() < end && !context.signal.aborted) {
        // The condition above sees a signal after the next failure.
        await delay(INTERVAL_MS, undefined, { signal: context.signal }).catch(() => {});
        continue;
      }
      const { message } = error instanceof Error && error.name === 'Error' ? error : describeFailure(error);
      if (!options.quiet) await context.stderr.line(`unhealthy: ${message}`);
      // Docker accepts only 0 and 1.
      return ExitCode.failure;
    }
  }
}

/** @returns a description of the healthy sidecar @throws an error that describes the unhealthy one */
async function ask(context: CommandContext, options: HealthcheckOptions): Promise<string> {
  const route = await healthRoute(context, options);
  const { askHealth } = await import('../../grpc/client/health-client.js');
  const { DEFAULT_SIDECAR_PORT, SpreadError, SpreadSidecar } = await import('spread-sidecar-client');
  // A channel that never connects: its constructor rejects a malformed target with the reason.
  await new SpreadSidecar({ target: route.target }).close();
  // gRPC's own default is port 443.
  const hasPort = route.target.startsWith('unix:') || /:\d+$/.test(route.target);
  const target = hasPort ? route.target : `${route.target}:${DEFAULT_SIDECAR_PORT}`;
  let serves: boolean;
  try {
    serves = await askHealth({ ...route, target, timeoutMs: options.timeout, signal: context.signal });
  } catch (error) {
    const { code, details, message } = error as { code?: number; details?: string; message: string };
    if (code === undefined) throw error;
    throw new SpreadError(details || message, { status: code, cause: error });
  }
  const where = `the sidecar at ${route.target} responds`;
  if (serves) return `healthy: ${where} and is connected to its Spread daemon`;
  const not = 'it is not connected to its Spread daemon, or is shutting down';
  if (options.daemon) throw new Error(`${where}, but ${not}`);
  return `healthy: ${where}; ${not}`;
}

/**
 * The admin port of a sidecar with TLS: it needs no client certificate, and works while the sidecar still serves a
 * certificate that is no longer in its file.
 */
async function healthRoute(context: CommandContext, options: HealthcheckOptions): Promise<Route> {
  const own = await ownSidecar(context, options.target);
  const { target, tls, tlsCa, tlsCert, tlsServerName } = options;
  const isTold = [target, tls, tlsCa, tlsCert, tlsServerName].some((option) => option !== undefined);
  if (own?.certificate !== undefined && own.admin !== undefined && !isTold) return { target: own.admin };
  return routeTo(options, own);
}
