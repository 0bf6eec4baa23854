// What some suites need beyond Node, how to see whether it is there, and how to get it. One table for the
// suites (they skip) and for `npm test` (it names what was skipped, or fails where it is required).
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { go } from '../../scripts/clients/go.mjs';
import { rust } from '../../scripts/clients/rust.mjs';
import { helmMajors } from '../../scripts/helm/commands.mjs';

const works = (command, args) => spawnSync(command, args, { stdio: 'ignore', timeout: 20_000 }).status === 0;

/** Plugins of protoc wait for a request, whatever they are called with. */
const exists = (command) => works('sh', ['-c', `command -v ${command}`]);

/** The Python that has grpcio and grpcio-tools: PYTHON in the environment, else python3. */
export const pythonCommand = (env = process.env) => env.PYTHON || 'python3';

/** The command of helm-unittest: HELM_UNITTEST in the environment, else on PATH. */
export const helmUnittest = (env = process.env) => env.HELM_UNITTEST || 'helm-unittest';

/** Before 1.8.9, grpcurl checks less of the descriptors that it gets. */
export const GRPCURL_VERSIONS = ['1.8.7', '1.9.4'];

/** Where `.ci/run` installs a version of grpcurl. */
export function grpcurlCommand(version, env = process.env) {
  const cache = env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(cache, 'spread-sidecar', 'grpcurl', version, 'grpcurl');
}

export const ACTIONLINT_VERSION = '1.7.12';

/** Where `.ci/run` installs actionlint. */
export function actionlintCommand(env = process.env) {
  const cache = env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(cache, 'spread-sidecar', 'actionlint', ACTIONLINT_VERSION, 'actionlint');
}

/** The path of Chromium: CHROMIUM in the environment, else on PATH; undefined where there is none. */
export const chromiumPath = (env = process.env) =>
  [env.CHROMIUM, 'chromium', 'chromium-browser', 'google-chrome']
    .map((command) => command && spawnSync('which', [command], { encoding: 'utf8', env }).stdout?.trim())
    .find((path) => path && works(path, ['--version']));

/** The command of Docker Compose: the plugin of Docker's client, else the program; undefined where there is neither. */
export const composeCommand = () =>
  [['docker', 'compose'], ['docker-compose']].find(([command, ...args]) =>
    works(command, [...args, 'version']),
  );

/** The library that changes the clock of a process; undefined where there is none. */
export function faketimeLibrary() {
  const { arch } = process;
  const triplet = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[arch];
  const path = `/usr/lib/${triplet}/faketime/libfaketimeMT.so.1`;
  return existsSync(path) ? path : undefined;
}

const parts = [
  {
    name: 'spread',
    byVariable: true,
    what: 'suites against a real Spread 5.0.1 daemon',
    enable:
      'Set SPREAD_HOME=/path (a Spread installation with bin/ and sbin/) or SPREAD_DAEMON=4803@host (a running daemon).',
    available: (env) => Boolean(env.SPREAD_HOME || env.SPREAD_DAEMON),
    // No package registry has it, so a CI machine can't be asked for it.
    inCi: false,
  },
  {
    name: 'spread-home',
    byVariable: true,
    what: "suites that start and stop their own real Spread daemons, and suites of Spread's tools",
    enable: 'Set SPREAD_HOME=/path (a Spread installation with bin/ and sbin/).',
    available: (env) => Boolean(env.SPREAD_HOME),
    inCi: false,
  },
  {
    name: 'spread-valgrind',
    byVariable: true,
    what: 'suites that send messages and handshakes at their limits to a real Spread daemon under valgrind',
    enable: 'Install valgrind, and set SPREAD_HOME=/path (a Spread installation with sbin/spread).',
    available: (env) => Boolean(env.SPREAD_HOME) && works('valgrind', ['--version']),
    inCi: false,
  },
  {
    name: 'spread-cluster',
    byVariable: true,
    what: 'suites with several real Spread daemons in network namespaces',
    enable:
      'As root on Linux with iproute2 and unshare, set SPREAD_HOME=/path (a Spread installation with sbin/spread).',
    available: (env) =>
      Boolean(env.SPREAD_HOME) && works('unshare', ['--mount', 'true']) && works('ip', ['netns', 'list']),
    inCi: false,
  },
  {
    name: 'namespaces',
    what: 'the suite of the sidecar in a network namespace with only IPv6',
    enable: 'Run as root on Linux with iproute2, unshare and nsenter.',
    available: () =>
      works('unshare', ['--net', 'ip', 'link', 'add', 'pod', 'type', 'veth']) &&
      works('nsenter', ['--version']),
    inCi: false,
  },
  {
    name: 'faketime',
    what: 'the cases of the conformance suite that change the clock of a client',
    enable: 'Install the library of faketime (`apt-get install libfaketime`).',
    available: () => faketimeLibrary() !== undefined,
    inCi: false,
  },
  {
    name: 'docker',
    what: 'the image, the suites in containers and the Testcontainers modules',
    enable:
      'Start a Docker engine of release 20.10 or later, with BuildKit (`docker buildx`, or a client before 23). If no image can be pulled, the build of the base image needs root and debootstrap.',
    available: () => works('docker', ['info']),
    inCi: true,
  },
  {
    name: 'compose',
    what: 'the Compose files of the pages',
    enable: 'Install Docker Compose, as a plugin of Docker or as docker-compose 1.29 or later.',
    available: () => composeCommand() !== undefined,
    inCi: true,
  },
  {
    name: 'python',
    what: 'the Python client and the plain gRPC example in Python',
    enable:
      'Install grpcio, grpcio-tools, pytest, mypy, types-grpcio and types-protobuf for python3, or set PYTHON to a Python that has them.',
    available: (env) => works(pythonCommand(env), ['-c', 'import grpc, grpc_tools, pytest, mypy']),
    inCi: true,
  },
  {
    name: 'python-testcontainers',
    what: 'the Testcontainers module for Python',
    enable: 'Install testcontainers 4.15 in addition to the requirements of the Python client.',
    available: (env) =>
      works(pythonCommand(env), ['-c', 'import grpc, pytest, mypy, testcontainers.core.container']),
    inCi: true,
  },
  {
    name: 'packages',
    byVariable: true,
    what: 'every package, built from an unbuilt clone and used in an empty project',
    enable: 'Set REQUIRE=packages. It takes minutes, and installs from the registries.',
    available: (env) => env.CI === 'true' || (env.REQUIRE ?? '').split(',').includes('packages'),
    inCi: true,
  },
  {
    name: 'python-build',
    what: 'the Python packages, built and installed from a clone',
    enable: 'Install build in addition to the requirements of the Python client.',
    available: (env) => works(pythonCommand(env), ['-c', 'import build, grpc, grpc_tools, pip']),
    inCi: true,
  },
  {
    name: 'python-reflection',
    what: 'server reflection, read by Python',
    enable: 'Install grpcio-reflection and grpcio for python3, or set PYTHON to a Python that has both.',
    available: (env) => works(pythonCommand(env), ['-c', 'import grpc, grpc_reflection.v1alpha']),
    inCi: true,
  },
  {
    name: 'python-prometheus',
    what: "the metrics page, read by Prometheus' client for Python",
    enable: 'Install prometheus-client for python3, or set PYTHON to a Python that has it.',
    available: (env) => works(pythonCommand(env), ['-c', 'import prometheus_client.openmetrics.parser']),
    inCi: true,
  },
  {
    name: 'python-opentelemetry',
    what: 'the tracing example of the Python client',
    enable: 'Install opentelemetry-sdk for python3, or set PYTHON to a Python that has it.',
    available: (env) => works(pythonCommand(env), ['-c', 'import grpc, opentelemetry.sdk.trace']),
    inCi: true,
  },
  {
    name: 'grpcurl',
    what: 'server reflection, read by grpcurl',
    enable: `For each version V of ${GRPCURL_VERSIONS.join(', ')}, run \`GOBIN=~/.cache/spread-sidecar/grpcurl/V go install github.com/fullstorydev/grpcurl/cmd/grpcurl@vV\`.`,
    available: (env) =>
      GRPCURL_VERSIONS.every((version) => works(grpcurlCommand(version, env), ['--version'])),
    inCi: true,
  },
  {
    name: 'terminal',
    what: '`top` on a pseudo terminal',
    enable: 'Install script of util-linux (Debian: bsdutils), and stty.',
    available: () => works('script', ['-qfc', 'stty -a', '/dev/null']),
    inCi: true,
  },
  {
    name: 'zsh',
    what: 'the completion script in zsh',
    enable: 'Install zsh.',
    available: () => works('zsh', ['--version']),
    inCi: true,
  },
  {
    name: 'fish',
    what: 'the completion script in fish',
    enable: 'Install fish.',
    available: () => works('fish', ['--version']),
    inCi: true,
  },
  {
    name: 'actionlint',
    what: 'the check of the GitHub workflows',
    enable: `Run \`GOBIN=~/.cache/spread-sidecar/actionlint/${ACTIONLINT_VERSION} go install github.com/rhysd/actionlint/cmd/actionlint@v${ACTIONLINT_VERSION}\`.`,
    available: (env) => works(actionlintCommand(env), ['-version']),
    inCi: true,
  },
  {
    name: 'go',
    what: 'the Go client',
    enable: 'Install Go 1.24 or later, with cgo and gcc for its race detector.',
    available: (env) => go.isAvailable(env) && works('gcc', ['--version']),
    inCi: true,
  },
  {
    name: 'java',
    what: 'the Java client',
    enable: 'Install a JDK of release 17 or later, and Maven.',
    available: () => works('javac', ['-version']) && works('mvn', ['--version']),
    inCi: true,
  },
  {
    name: 'rust',
    what: 'the Rust client',
    enable: 'Install Rust 1.88 or later with rustfmt and clippy, and a C compiler.',
    available: (env) =>
      rust.isAvailable(env) && ['fmt', 'clippy'].every((tool) => works('cargo', [tool, '--version'])),
    inCi: true,
  },
  {
    name: 'cpp',
    what: 'the recipe for C++',
    enable: 'Install g++, pkg-config, libgrpc++-dev, libprotobuf-dev and protobuf-compiler-grpc.',
    available: () =>
      works('pkg-config', ['--exists', 'grpc++']) &&
      works('g++', ['--version']) &&
      exists('grpc_cpp_plugin') &&
      works('protoc', ['--version']),
    inCi: true,
  },
  {
    name: 'ruby',
    what: 'the recipe for Ruby',
    enable: 'Install ruby-grpc and protobuf-compiler-grpc.',
    available: () => works('ruby', ['-e', 'require "grpc"']) && exists('grpc_ruby_plugin'),
    inCi: true,
  },
  {
    name: 'php',
    what: 'the recipe for PHP',
    enable: 'Install php-cli and protobuf-compiler-grpc.',
    available: () => works('php', ['--version']) && exists('grpc_php_plugin'),
    inCi: true,
  },
  {
    name: 'chromium',
    what: 'the status page in a browser',
    enable: 'Install Chromium. If it is not on PATH, name it in CHROMIUM.',
    available: (env) => chromiumPath(env) !== undefined,
    inCi: true,
  },
  {
    name: 'promtool',
    what: 'the alert rules, their unit tests and the queries of the dashboard',
    enable: 'Install promtool, which comes with Prometheus.',
    available: () => works('promtool', ['--version']),
    inCi: true,
  },
  {
    name: 'prometheus',
    what: 'the dashboard and the alert rules on a Prometheus server that scrapes real sidecars',
    enable: 'Install Prometheus.',
    available: () => works('prometheus', ['--version']),
    inCi: true,
  },
  {
    name: 'helm',
    what: 'the Helm chart',
    enable:
      'Install Helm 3.18 or later, or Helm 4, as helm3, helm4 or helm on PATH. Or set HELM3 or HELM4 to its path.',
    available: (env) => helmMajors(env).length > 0,
    inCi: true,
  },
  {
    name: 'both-helms',
    what: 'the Helm chart with both Helm 3 and Helm 4',
    enable:
      'Install Helm 3.18 or later and Helm 4, as helm3 and helm4 on PATH. Or set HELM3 and HELM4 to their paths.',
    available: (env) => helmMajors(env).length === 2,
    inCi: true,
  },
  {
    name: 'kubernetes-schemas',
    what: 'the check of the chart against the schemas of Kubernetes',
    enable: 'Install kubernetes-validate for python3, or set PYTHON to a Python that has it.',
    available: (env) => works(pythonCommand(env), ['-c', 'import kubernetes_validate']),
    inCi: true,
  },
  {
    name: 'cluster',
    byVariable: true,
    what: 'the chart on a real Kubernetes node of this machine',
    enable:
      'Set REQUIRE=cluster. docs/cluster-tests.md lists the needed tools and the times. `npm run cluster` runs the same checks.',
    available: (env) => (env.REQUIRE ?? '').split(',').includes('cluster'),
    inCi: false,
  },
  {
    name: 'helm-unittest',
    what: 'the suites of the chart for helm-unittest',
    enable:
      'Build helm-unittest in test/helm/unittest (`go build`), and put it on PATH or set HELM_UNITTEST to its path.',
    available: (env) => works(helmUnittest(env), ['--help']),
    inCi: true,
  },
];

/** Parts that nobody has by chance: a variable asks for them. */
const askedFor = (part, env) => part.byVariable === true || requiredParts(env).includes(part.name);

/**
 * Whether the suites of a part run. `npm test` sets TEST_SUITES=node: then a part runs only when a variable
 * asks for it, even if its tools are installed.
 */
const runs = (part, env) => (env.TEST_SUITES !== 'node' || askedFor(part, env)) && part.available(env);

export const isAvailable = (name, env = process.env) =>
  runs(
    parts.find((part) => part.name === name),
    env,
  );

export const missingParts = (env) => parts.filter((part) => !runs(part, env));

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
