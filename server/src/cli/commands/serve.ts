import { setTimeout as delay } from 'node:timers/promises';
import { Command } from 'commander';
import { printConfig, type SidecarConfig } from '../../config/index.js';
import type { Sidecar } from '../../sidecar.js';
import { listenFailure, placesOf } from '../checks/listen-check.js';
import { isListenError } from '../command-failure.js';
import { ownSidecar } from '../connection/own-sidecar.js';
import { addConfigOptions, loadServeConfig } from '../connection/serve-config.js';
import { suggestedOptions } from '../connection/suggested-options.js';
import type { CommandContext, Done } from '../context.js';
import { ExitCode } from '../exit-codes.js';
import { helpSections } from '../help.js';
import { packageVersion } from '../package-files.js';
import { stopped } from '../terminal/interruption.js';
import { type Place, welcome } from '../welcome.js';

/** Time that the banner waits for the first response of the daemon. Unit: ms. */
const ANSWER_MS = 1000;

export function serveCommand(context: CommandContext, done: Done): Command {
  const command = new Command('serve')
    .summary('run the sidecar')
    .description(
      `Runs the sidecar until SIGTERM or SIGINT starts a graceful shutdown. A second signal ends the process at once. Every option also has an environment variable and a key in a YAML file. Flags override environment variables, and environment variables override the file.\n\n${helpSections()}`,
    )
    .option('--print-config', 'print the configuration with the source of each value, and exit');
  return addConfigOptions(command).action(async (options: Record<string, unknown>) => {
    done(await serve(context, options));
  });
}

async function serve(context: CommandContext, options: Record<string, unknown>): Promise<number> {
  const { config, sources } = await loadServeConfig(context, options);
  if (options.printConfig) {
    await context.stdout.write(printConfig(config, sources));
    return ExitCode.ok;
  }
  // The process that started the sidecar may end earlier, and then the reader of its output is gone.
  context.runWithoutReader();
  const { createSidecar } = await import('../../sidecar.js');
  const { createLogger } = await import('../../observability/log/logger.js');
  const { level, format } = config.log;
  const destination = context.stderr.stream;
  // Programs that read JSON lines mostly receive both streams as one.
  const isJson =
    format === 'json' || (format === 'auto' && !context.stderr.isTerminal && !context.stdout.isTerminal);
  const logger = createLogger({ level, format, terminal: context.stderr.isTerminal, destination });
  const version = packageVersion();
  const sidecar = createSidecar(config, {
    logger,
    version,
    configSources: sources,
    environment: context.env,
  });
  try {
    await sidecar.start();
  } catch (error) {
    if (!isListenError(error)) throw error;
    throw await listenFailure(placesOf(config), error);
  }
  // An available daemon responds within this time, so that the banner can report it.
  await Promise.race([
    sidecar.daemonAsked,
    stopped(context.signal),
    delay(ANSWER_MS, undefined, { ref: false }),
  ]);
  if (isJson) logger.info(startRecord(version, sidecar, config), 'started');
  else void context.stdout.line(await banner(context, version, sidecar, config));
  void stopped(context.signal).then(() => sidecar.stop({ delayMs: config.drain.delay }));
  await sidecar.stopped;
  return ExitCode.ok;
}

async function banner(
  context: CommandContext,
  version: string,
  sidecar: Sidecar,
  config: SidecarConfig,
): Promise<string> {
  // Commands in a container inherit its environment.
  const found = context.isContainer ? await ownSidecar(context, undefined).catch(() => undefined) : undefined;
  const suggestion = suggestedOptions(config, sidecar.addresses.grpc, found);
  const { daemon } = sidecar;
  const place: Place = {
    ...sidecar.addresses,
    ready: sidecar.ready,
    daemons: daemonNames(config),
    daemonProblem: daemon.up ? undefined : daemon.error?.message,
  };
  return welcome(version, place, { program: context.program, ...suggestion }, context.stdout.colors);
}

/** The fields of the log record that describes the started sidecar. */
function startRecord(version: string, { addresses, daemon }: Sidecar, config: SidecarConfig) {
  const { grpc, admin, embedded } = config;
  return {
    version,
    grpc: addresses.grpc,
    admin: addresses.admin ?? 'off',
    embeddedDaemon: embedded.enabled,
    daemons: embedded.enabled
      ? Object.values(addresses.daemon ?? {}).filter((name) => name !== undefined)
      : daemonNames(config),
    daemonUp: daemon.up,
    security: {
      tls: grpc.tlsCert !== '',
      clientCertificates: grpc.tlsClientCa !== '',
      clientTokens: grpc.tokens.length > 0 || grpc.tokenFile !== '',
      adminCredential: admin.token !== '' || admin.tokenFile !== '',
      insecure: grpc.insecure,
    },
  };
}

const daemonNames = ({ daemon, embedded }: SidecarConfig) => (embedded.enabled ? [] : daemon.addresses);
