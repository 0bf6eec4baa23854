import type { OptionKey, SidecarConfig } from './options.js';
import { isLoopback, listenAddress, type TcpAddress, type UnixAddress } from './values/addresses.js';

/** Two or more options that are well in themselves and not together. */
export interface Conflict {
  readonly sentence: string;
  readonly between: readonly OptionKey[];
}

/** What options must be to each other. */
export interface CrossCheck {
  /** The options that it looks at; it is left out when one of them is wrong in itself. */
  readonly options: readonly OptionKey[];
  check(config: SidecarConfig, isSet: (key: OptionKey) => boolean): Conflict | undefined;
}

export const crossChecks: readonly CrossCheck[] = [
  notAbove('mailbox.leaseMin', 'mailbox.leaseDefault', (c) => [c.mailbox.leaseMin, c.mailbox.leaseDefault]),
  notAbove('mailbox.leaseDefault', 'mailbox.leaseMax', (c) => [c.mailbox.leaseDefault, c.mailbox.leaseMax]),
  notAbove('mailbox.queueMaxBytes', 'mailbox.totalQueueMaxBytes', ({ mailbox }) => [
    unlessAuto(mailbox.queueMaxBytes, 0),
    unlessAuto(mailbox.totalQueueMaxBytes, Number.POSITIVE_INFINITY),
  ]),
  notAbove('mailbox.totalQueueMaxBytes', 'memory.limit', ({ mailbox, memory }) => [
    unlessAuto(mailbox.totalQueueMaxBytes, 0),
    unlessAuto(memory.limit, Number.POSITIVE_INFINITY),
  ]),
  notAbove('grpc.maxReceiveMessageBytes', 'limits.maxBufferedRequestBytes', ({ grpc, limits }) => [
    grpc.maxReceiveMessageBytes,
    unlessAuto(limits.maxBufferedRequestBytes, Number.POSITIVE_INFINITY),
  ]),
  notAbove('daemon.monitorBackoffMin', 'daemon.monitorBackoffMax', ({ daemon }) => [
    daemon.monitorBackoffMin,
    daemon.monitorBackoffMax,
  ]),
  notAbove('mailbox.reconnectGiveUpDefault', 'mailbox.reconnectGiveUpMax', ({ mailbox }) => [
    mailbox.reconnectGiveUpDefault,
    mailbox.reconnectGiveUpMax,
  ]),
  notAbove('mailbox.reconnectBackoffMin', 'mailbox.reconnectBackoffMax', ({ mailbox }) => [
    mailbox.reconnectBackoffMin,
    mailbox.reconnectBackoffMax,
  ]),
  notAbove('receive.heartbeatMin', 'receive.heartbeatDefault', ({ receive }) => [
    receive.heartbeatMin,
    receive.heartbeatDefault === 'off' ? Number.POSITIVE_INFINITY : receive.heartbeatDefault,
  ]),
  conflict(
    ['admin.token', 'admin.tokenFile'],
    ({ admin }) => admin.token !== '' && admin.tokenFile !== '',
    'admin.token and admin.tokenFile are both set; one of them holds the credential',
  ),
  conflict(
    ['admin.quitquitquit', 'admin.listen'],
    ({ admin }) => admin.quitquitquit && admin.listen === 'off',
    'admin.quitquitquit is a page of the admin port; admin.listen must not be off',
  ),
  conflict(
    ['admin.failureInjection', 'admin.listen'],
    ({ admin }) => admin.failureInjection && admin.listen === 'off',
    'admin.failureInjection is a page of the admin port; admin.listen must not be off',
  ),
  conflict(
    ['grpc.tokens', 'grpc.tokenFile'],
    ({ grpc }) => grpc.tokens.length > 0 && grpc.tokenFile !== '',
    'grpc.tokens and grpc.tokenFile are both set; one of them holds the tokens',
  ),
  conflict(
    ['grpc.tlsKey', 'grpc.tlsCert'],
    ({ grpc }) => grpc.tlsKey !== '' && grpc.tlsCert === '',
    'grpc.tlsKey is the key of a certificate; grpc.tlsCert must name it',
  ),
  conflict(
    ['grpc.tlsClientCa', 'grpc.tlsCert'],
    ({ grpc }) => grpc.tlsClientCa !== '' && grpc.tlsCert === '',
    'client certificates come by TLS only; grpc.tlsCert must name a certificate',
  ),
  {
    options: ['grpc.listen', 'grpc.tlsCert', 'grpc.insecure'],
    check: ({ grpc }) => {
      if (grpc.tlsCert !== '' || grpc.insecure) return undefined;
      const open = grpc.listen.find((address) => address.kind === 'tcp' && !isLoopback(address.host));
      if (open === undefined) return undefined;
      const sentence = `other machines could reach ${listenAddress.format(open)} without TLS: listen on 127.0.0.1 or a Unix socket, set grpc.tlsCert, or say --insecure`;
      return { sentence, between: ['grpc.listen', 'grpc.tlsCert', 'grpc.insecure'] };
    },
  },
  conflict(
    ['embedded.enabled', 'daemon.addresses'],
    ({ embedded }, isSet) => embedded.enabled && isSet('daemon.addresses'),
    'the embedded daemon is the default daemon, so daemon.addresses can not be set with it; daemon.allow names further daemons',
  ),
  conflict(
    ['embedded.listen', 'embedded.socket', 'embedded.enabled'],
    ({ embedded }) => embedded.enabled && embedded.listen === 'off' && embedded.socket === 'off',
    'nobody could reach the embedded daemon; embedded.listen and embedded.socket can not both be off',
  ),
  conflict(
    ['embedded.listen', 'embedded.socket', 'embedded.enabled'],
    ({ embedded }) => embedded.enabled && embedded.listen === 'off' && embedded.socket === 'auto',
    'embedded.socket auto takes the port of embedded.listen, which is off; give the path of a socket',
  ),
  {
    options: ['grpc.listen', 'admin.listen', 'embedded.listen', 'embedded.socket', 'embedded.enabled'],
    check: (config) => {
      const taken = new Map<string, OptionKey>();
      for (const [key, address] of listeners(config)) {
        if (address.kind === 'tcp' && address.port === 0) continue;
        const place = listenAddress.format(address);
        const other = taken.get(place);
        if (other) return { sentence: `${key} and ${other} both want ${place}`, between: [key, other] };
        taken.set(place, key);
      }
      return undefined;
    },
  },
];

/** Every place that the sidecar will listen on. */
function listeners({ grpc, admin, embedded }: SidecarConfig): [OptionKey, TcpAddress | UnixAddress][] {
  const all: [OptionKey, TcpAddress | UnixAddress][] = grpc.listen.map((address) => ['grpc.listen', address]);
  if (admin.listen !== 'off') all.push(['admin.listen', admin.listen]);
  if (!embedded.enabled) return all;
  if (embedded.listen !== 'off') all.push(['embedded.listen', embedded.listen]);
  const socket = embedded.socket === 'auto' ? automaticSocket(embedded.listen) : embedded.socket;
  if (socket !== 'off') all.push(['embedded.socket', { kind: 'unix', path: socket }]);
  return all;
}

const automaticSocket = (listen: TcpAddress | 'off') =>
  listen === 'off' || listen.port === 0 ? 'off' : `/tmp/${listen.port}`;

/** What follows from memory.limit breaks no bound that is set. */
const unlessAuto = (value: number | 'auto', otherwise: number) => (value === 'auto' ? otherwise : value);

function notAbove(
  low: OptionKey,
  high: OptionKey,
  values: (config: SidecarConfig) => readonly [number, number],
): CrossCheck {
  const isAbove = (config: SidecarConfig) => {
    const [below, above] = values(config);
    return below > above;
  };
  return conflict([low, high], isAbove, `${low} must not be more than ${high}`);
}

function conflict(
  options: readonly OptionKey[],
  isWrong: (config: SidecarConfig, isSet: (key: OptionKey) => boolean) => boolean,
  sentence: string,
): CrossCheck {
  return {
    options,
    check: (config, isSet) => (isWrong(config, isSet) ? { sentence, between: options } : undefined),
  };
}
