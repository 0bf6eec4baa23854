import { hostname } from 'node:os';
import { Command } from 'commander';
import { printConfig, type SidecarConfig } from '../../config/index.js';
import { isListenError } from '../command-failure.js';
import type { CommandContext, Done } from '../context.js';
import { ExitCode } from '../exit-codes.js';
import { stopped } from '../interruption.js';
import { listenFailure, placesOf } from '../listen-check.js';
import { packageVersion } from '../package-files.js';
import { addConfigOptions, loadServeConfig } from '../serve-config.js';
import { type Container, type Place, welcome } from '../welcome.js';

export function serveCommand(context: CommandContext, done: Done): Command {
  const command = new Command('serve')
    .summary('run the sidecar')
    .description(
      'Runs the sidecar until SIGTERM or SIGINT, which drain it; a second one ends it at once. Every option can also be set by its environment variable or in a YAML file; a flag wins over the environment, that over the file.',
    )
    .option('--print-config', 'print the configuration, with the place that each value comes from, and end');
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
  // Its reader may end before the sidecar does: whoever started it has gone.
  context.runWithoutReader();
  const { createSidecar } = await import('../../sidecar.js');
  const { createLogger } = await import('../../observability/logger.js');
  const { level, format } = config.log;
  const destination = { write: (line: string) => context.stderr.stream.write(line) };
  const logger = createLogger({ level, format, terminal: context.stderr.isTerminal, destination });
  const version = packageVersion();
  const sidecar = createSidecar(config, { logger, version });
  try {
    await sidecar.start();
  } catch (error) {
    if (!isListenError(error)) throw error;
    throw await listenFailure(placesOf(config), error);
  }
  const place: Place = {
    ...sidecar.addresses,
    ready: sidecar.ready,
    daemons: daemonNames(config),
    container: process.pid === 1 ? thisContainer(context.env) : undefined,
  };
  void context.stdout.line(welcome(version, place, context.stdout.colors));
  void stopped(context.signal).then(() => sidecar.stop({ delayMs: config.drain.delay }));
  await sidecar.stopped;
  return ExitCode.ok;
}

/** Kubernetes tells every container where its API server is. */
const thisContainer = (env: CommandContext['env']): Container => ({
  hostname: hostname(),
  inKubernetes: env.KUBERNETES_SERVICE_HOST !== undefined,
});

const daemonNames = ({ daemon, embedded }: SidecarConfig) => (embedded.enabled ? [] : daemon.addresses);
