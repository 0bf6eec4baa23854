// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the suite, which are not of JavaScript
import type { Case } from './case-format.js';

const FORMS =
  'host:port, [ipv6-address]:port, dns:host:port, ipv4:address:port, ipv6:[address]:port or unix:path';

/** Forms of one sidecar's address, by its listen address. */
const FORMS_BY_LISTENER: Readonly<Record<string, readonly string[]>> = {
  '127.0.0.1:0': [
    '127.0.0.1:${port}',
    'localhost:${port}',
    'dns:localhost:${port}',
    'dns:127.0.0.1:${port}',
    'dns:///localhost:${port}',
    'dns:///127.0.0.1:${port}',
    'ipv4:127.0.0.1:${port}',
  ],
  '[::1]:0': ['[::1]:${port}', 'dns:[::1]:${port}', 'dns:///[::1]:${port}', 'ipv6:[::1]:${port}'],
  'unix:${path}': ['unix:${path}', 'unix://${path}'],
};

/**
 * Targets without a port, which have the default port. They are only opened, because another sidecar may
 * listen there.
 */
const WITHOUT_PORT = ['localhost', '[::1]', 'dns:///sidecar.example', 'ipv4:127.0.0.1', 'ipv6:[::1]', ''];

/** Targets that every client rejects, and the messages. */
const REJECTED: readonly (readonly [target: string, why: string, hint?: string])[] = [
  ['http://127.0.0.1:4813', 'has the unsupported scheme "http"', '; set the option tls to use TLS'],
  ['https://sidecar', 'has the unsupported scheme "https"', '; set the option tls to use TLS'],
  ['tcp://127.0.0.1:4813', 'has the unsupported scheme "tcp"'],
  ['xds:///sidecar', 'has the unsupported scheme "xds"'],
  ['localhost:', 'has an invalid port "" (must be from 1 to 65535)'],
  ['localhost:0', 'has an invalid port "0" (must be from 1 to 65535)'],
  ['localhost:65536', 'has an invalid port "65536" (must be from 1 to 65535)'],
  ['localhost:grpc', 'has an invalid port "grpc" (must be from 1 to 65535)'],
  ['localhost:4813/path', 'has an invalid port "4813/path" (must be from 1 to 65535)'],
  ['unix-abstract:name', 'has an invalid port "name" (must be from 1 to 65535)'],
  [':4813', 'has no host'],
  ['dns:', 'has no host'],
  ['two words:4813', 'has an invalid host "two words"'],
  ['user@localhost:4813', 'has an invalid host "user@localhost"'],
  ['127.0.0.1:4813,127.0.0.2:4813', 'has an invalid host "127.0.0.1:4813,127.0.0.2:4813"'],
  ['[::1', 'has an invalid host "[::1"'],
  ['[::1]4813', 'has an invalid host "[::1]4813"'],
  ['::1', 'has an IPv6 address without brackets'],
  ['::1:4813', 'has an IPv6 address without brackets'],
  ['ipv6:::1', 'has an IPv6 address without brackets'],
  ['[localhost]:4813', 'has an invalid IPv6 address "localhost"'],
  ['ipv6:localhost:4813', 'has an invalid IPv6 address "localhost"'],
  ['ipv4:localhost:4813', 'has an invalid IPv4 address "localhost"'],
  ['ipv4:127.0.0.256:4813', 'has an invalid IPv4 address "127.0.0.256"'],
  ['ipv4:[::1]:4813', 'has an invalid IPv4 address "::1"'],
  ['dns://192.0.2.1/sidecar:4813', 'names a DNS server, which is not supported'],
  ['unix:', 'has no path'],
  ['unix://', 'has no path'],
  ['unix://host/path', 'has a host before the path'],
  [`unix:/${'x'.repeat(107)}`, 'has a path of 108 bytes (must be at most 107)'],
];

/** All forms of a target, for all clients. */
export function targetCases(): Case[] {
  const accepted = Object.entries(FORMS_BY_LISTENER).flatMap(([listener, targets]) =>
    targets.map((target) => acceptedCase(target, listener)),
  );
  return [...accepted, ...WITHOUT_PORT.map(openedCase), ...REJECTED.map(rejectedCase)];
}

const common = {
  feature: 'Targets',
  rules: [],
  transports: ['tcp'],
  realDaemon: false,
  open: false,
} as const;
const nameOf = (target: string) =>
  (target.length > 40 ? `${target.slice(0, 40)}…` : target).replaceAll('$', '');

function acceptedCase(target: string, listener: string): Case {
  // The default sidecar of the suite listens on 127.0.0.1 and on a Unix socket.
  const setup = listener === '[::1]:0' ? { options: { GRPC_LISTEN: listener } } : {};
  const steps = [
    { op: 'open', args: { target } },
    { op: 'connect', args: { mailbox: 'a' } },
    { op: 'disconnect', args: { mailbox: 'a' }, expect: { wasOpen: true } },
  ];
  return { ...common, setup, steps, name: `The target ${nameOf(target)} reaches the sidecar` };
}

function openedCase(target: string): Case {
  const steps = [{ op: 'open', args: { target } }];
  return { ...common, setup: {}, steps, name: `The target "${target}" has the default port` };
}

function rejectedCase([target, why, hint = '']: (typeof REJECTED)[number]): Case {
  const error = {
    status: 'INVALID_ARGUMENT',
    reason: 'FIELD_INVALID',
    domain: 'spread-sidecar',
    metadata: { field: 'target', bound: FORMS },
    retryable: false,
    outcome: 'not-sent',
    message: `target "${target}" ${why}; expected ${FORMS}${hint}`,
  };
  const steps = [{ op: 'open', args: { target }, error }];
  return { ...common, setup: {}, steps, name: `The target ${nameOf(target)} is rejected` };
}
