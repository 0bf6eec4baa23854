// What some suites need beyond Node, how to see whether it is there, and how to get it. One table for the
// suites (they skip) and for `npm test` (it names what was skipped, or fails where it is required).
import { spawnSync } from 'node:child_process';

const works = (command, args) => spawnSync(command, args, { stdio: 'ignore', timeout: 20_000 }).status === 0;

/** The Python that has grpcio and grpcio-tools: PYTHON in the environment, else python3. */
export const pythonCommand = (env = process.env) => env.PYTHON || 'python3';

const parts = [
  {
    name: 'spread',
    what: 'suites against a real Spread 5.0.1 daemon and its tools',
    enable:
      'Set SPREAD_HOME=/path (a Spread installation with bin/ and sbin/) or SPREAD_DAEMON=4803@host (a running daemon).',
    available: (env) => Boolean(env.SPREAD_HOME || env.SPREAD_DAEMON),
    // No package registry has it, so a CI machine can't be asked for it.
    inCi: false,
  },
  {
    name: 'spread-cluster',
    what: 'suites with several real Spread daemons in network namespaces',
    enable:
      'As root on Linux with iproute2 and unshare, set SPREAD_HOME=/path (a Spread installation with sbin/spread).',
    available: (env) =>
      Boolean(env.SPREAD_HOME) && works('unshare', ['--mount', 'true']) && works('ip', ['netns', 'list']),
    inCi: false,
  },
  {
    name: 'python',
    what: 'the plain gRPC example in Python',
    enable: 'Install grpcio and grpcio-tools for python3, or name a Python that has them in PYTHON.',
    available: (env) => works(pythonCommand(env), ['-c', 'import grpc, grpc_tools']),
    inCi: true,
  },
];

export const isAvailable = (name, env = process.env) =>
  parts.find((part) => part.name === name).available(env);

export const missingParts = (env) => parts.filter((part) => !part.available(env));

export function requiredParts(env) {
  const named = (env.REQUIRE ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  const unknown = named.filter((name) => !parts.some((part) => part.name === name));
  if (unknown.length)
    throw new Error(
      `REQUIRE names unknown parts: ${unknown.join(', ')}; known: ${parts.map((p) => p.name).join(', ')}`,
    );
  return env.CI === 'true'
    ? [...new Set([...named, ...parts.filter((part) => part.inCi).map((part) => part.name)])]
    : named;
}
