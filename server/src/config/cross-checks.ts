import type { OptionKey, SidecarConfig } from './options.js';
import { includes, isIpv6Only, type PlannedAddress, plannedAddresses } from './planned-addresses.js';
import { isLoopback, listenAddress } from './values/addresses.js';

/** A condition on two or more options that are each valid alone. */
export interface Conflict {
  readonly sentence: string;
  readonly between: readonly OptionKey[];
}

/** The required relation between the options. */
export interface CrossCheck {
  /** The options in the check. The check is skipped when one of them is invalid. */
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
    'admin.token and admin.tokenFile are both set; set only one of them',
  ),
  conflict(
    ['admin.quitquitquit', 'admin.listen'],
    ({ admin }) => admin.quitquitquit && admin.listen === 'off',
    'admin.quitquitquit needs the admin port; admin.listen must not be off',
  ),
  conflict(
    ['admin.failureInjection', 'admin.listen'],
    ({ admin }) => admin.failureInjection && admin.listen === 'off',
    'admin.failureInjection needs the admin port; admin.listen must not be off',
  ),
  conflict(
    ['grpc.tokens', 'grpc.tokenFile'],
    ({ grpc }) => grpc.tokens.length > 0 && grpc.tokenFile !== '',
    'grpc.tokens and grpc.tokenFile are both set; set only one of them',
  ),
  conflict(
    ['grpc.tlsKey', 'grpc.tlsCert'],
    ({ grpc }) => grpc.tlsKey !== '' && grpc.tlsCert === '',
    'grpc.tlsKey is set without its certificate; set grpc.tlsCert',
  ),
  conflict(
    ['grpc.tlsClientCa', 'grpc.tlsCert'],
    ({ grpc }) => grpc.tlsClientCa !== '' && grpc.tlsCert === '',
    'client certificates need TLS; set grpc.tlsCert',
  ),
  {
    options: ['grpc.listen', 'grpc.tlsCert', 'grpc.insecure'],
    check: ({ grpc }) => {
      if (grpc.tlsCert !== '' || grpc.insecure) return undefined;
      const open = grpc.listen.find((address) => address.kind === 'tcp' && !isLoopback(address.host));
      if (open === undefined) return undefined;
      const sentence = `other machines could reach ${listenAddress.format(open)} without TLS: listen on 127.0.0.1 or a Unix socket, set grpc.tlsCert, or set --insecure to accept the risk`;
      return { sentence, between: ['grpc.listen', 'grpc.tlsCert', 'grpc.insecure'] };
    },
  },
  conflict(
    ['embedded.enabled', 'daemon.addresses'],
    ({ embedded }, isSet) => embedded.enabled && isSet('daemon.addresses'),
    'the embedded daemon is the default daemon, so daemon.addresses must not be set; list further daemons in daemon.allow',
  ),
  conflict(
    ['embedded.listen', 'embedded.socket', 'embedded.enabled'],
    ({ embedded }) => embedded.enabled && embedded.listen === 'off' && embedded.socket === 'off',
    'no client could reach the embedded daemon; embedded.listen and embedded.socket must not both be off',
  ),
  conflict(
    ['embedded.listen', 'embedded.socket', 'embedded.enabled'],
    ({ embedded }) => embedded.enabled && embedded.listen === 'off' && embedded.socket === 'auto',
    'embedded.socket is auto and needs the port of embedded.listen, which is off; set the path of a socket',
  ),
  {
    options: ['grpc.listen', 'admin.listen', 'embedded.listen', 'embedded.socket', 'embedded.enabled'],
    check: (config) => {
      const places = plannedAddresses(config);
      for (const [index, place] of places.entries())
        for (const other of places.slice(0, index)) {
          const sentence = overlap(other, place) ?? overlap(place, other);
          if (sentence) return { sentence, between: [place.option, other.option] };
        }
      return undefined;
    },
  },
];

/**
 * The reason why both addresses cannot be used together. Undefined if they can, or if `outer` does not include
 * `inner`.
 */
function overlap(outer: PlannedAddress, inner: PlannedAddress): string | undefined {
  const [wide, narrow] = [outer.address, inner.address];
  const isSame = listenAddress.format(wide) === listenAddress.format(narrow);
  if (wide.kind === 'unix' || narrow.kind === 'unix') return isSame ? sameAddress(outer, inner) : undefined;
  if (wide.port === 0 || !includes(wide, narrow)) return undefined;
  if (isSame) return sameAddress(outer, inner);
  const [whole, part] = [listenAddress.format(wide), listenAddress.format(narrow)];
  if (outer.option !== inner.option)
    return `${outer.option} ${whole} includes ${inner.option} ${part}: give them different ports`;
  if (isIpv6Only(wide, [narrow])) return undefined;
  return `${outer.option} ${whole} includes ${part}: remove one of them`;
}

function sameAddress(outer: PlannedAddress, inner: PlannedAddress): string {
  return `${inner.option} and ${outer.option} both have the address ${listenAddress.format(outer.address)}`;
}

/** A value of `auto` is derived from memory.limit and never conflicts with another option. */
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
