import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { DAPRD } from './servers/dapr.js';
import { findProgram } from './servers/server-process.js';
import { NATS, REDIS } from './servers/servers.js';

/** The machine on which the figures were measured. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  /** Name and version of all programs in the run. */
  readonly versions: Readonly<Record<string, string>>;
}

const require = createRequire(import.meta.url);

/** @param nodes - versions of the Node binaries that ran our processes */
export function describeMachine(nodes: string, env: NodeJS.ProcessEnv = process.env): Machine {
  const spread = env.SPREAD_HOME && join(env.SPREAD_HOME, 'sbin', 'spread');
  const programs = {
    spread: spread && versionIn(spread, [], /Version (\d+\.\d+\.\d+)/i),
    'nats-server': versionOfProgram(NATS, env),
    'redis-server': versionOfProgram(REDIS, env),
    daprd: env[DAPRD] && versionIn(env[DAPRD], ['--version'], /^v?(\d+\.\d+\.\d+\S*|edge)/),
  };
  const packages = {
    node: nodes,
    'grpc-js': packageVersion('@grpc/grpc-js'),
    '@nats-io/transport-node': packageVersion('@nats-io/transport-node'),
    redis: packageVersion('redis'),
  };
  const versions = Object.entries({ ...packages, ...programs }).filter(([, version]) => version);
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()}`,
    versions: Object.fromEntries(versions) as Record<string, string>,
  };
}

function versionOfProgram(name: string, env: NodeJS.ProcessEnv): string | undefined {
  const path = findProgram(name, env);
  return path && versionIn(path, ['--version'], /v=?(\d+\.\d+\.\d+)/);
}

/**
 * The first version number that a program prints within two seconds. A program without a version flag prints it
 * when it starts.
 */
function versionIn(path: string, args: readonly string[], pattern: RegExp): string | undefined {
  const { stdout, stderr } = spawnSync(path, args, { encoding: 'utf8', timeout: 2000 });
  // Spread prints 5.00.01.
  return pattern.exec(`${stdout}${stderr}`)?.[1]?.replace(/\b0+(?=\d)/g, '');
}

function packageVersion(name: string): string | undefined {
  try {
    return (require(`${name}/package.json`) as { version: string }).version;
  } catch {
    return undefined;
  }
}
