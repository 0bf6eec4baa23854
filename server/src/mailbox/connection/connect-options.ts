import { SpreadError, toSpreadError } from '../../spread/spread-error.js';
import { checkPrivateName } from '../../spread/wire/index.js';
import type { Acknowledgement, MailboxLimits, OverflowPolicy, SoftLimitOptions } from '../mailbox-types.js';
import type { Bounded, MailboxSettings } from '../settings.js';
import { MailboxError } from '../sidecar-error.js';
import type { NameConflictPolicy } from './name-conflict.js';
import type { ReconnectOptions } from './reconnect-options.js';

/** The requested options of a client. Undefined, and 0 in the limits of the queue, mean the sidecar's default. */
export interface ConnectOptions {
  /** A Spread name. Empty: the default daemon. */
  readonly daemon: string;
  /** Empty: the daemon generates one. */
  readonly privateName: string;
  readonly onNameConflict: NameConflictPolicy;
  readonly priority: number;
  readonly membership: boolean;
  /** Unit: ms. */
  readonly leaseMs?: number | undefined;
  /** Whether the mailbox ends when the client has closed its connections. Default: false. */
  readonly endWithConnection?: boolean;
  /** How the sidecar authenticates to the daemon. Default: that of the settings. */
  readonly auth?: 'NULL' | 'IP' | undefined;
  /** Undefined: the mailbox ends with its connection. */
  readonly reconnect?: ReconnectOptions | undefined;
  readonly queue: {
    readonly maxEvents?: number | undefined;
    readonly maxBytes?: number | undefined;
    readonly replayBytes?: number | undefined;
    readonly overflow?: OverflowPolicy | undefined;
    /** Undefined: the sidecar's default, also for each part. 0 means the default for the fraction too. */
    readonly softLimit?: Partial<SoftLimitOptions> | undefined;
  };
  readonly acknowledgement: Acknowledgement;
}

const MAX_DAEMON_BYTES = 300;
/** The soft limits that a client can request if the operator has none. */
const SOFT_LIMIT_MIN_MS = 100;
const SOFT_LIMIT_MAX_MS = 86_400_000;

/**
 * Rejects requests that are invalid for every daemon.
 *
 * @throws SpreadError ILLEGAL_SPREAD, REJECT_ILLEGAL_NAME; MailboxError LIMIT_OUT_OF_RANGE
 */
export function checkConnectOptions(options: ConnectOptions): void {
  if (Buffer.byteLength(options.daemon) > MAX_DAEMON_BYTES) {
    const bound = `0 to ${MAX_DAEMON_BYTES} bytes`;
    const message = `daemon has ${Buffer.byteLength(options.daemon)} bytes; it may have ${bound}`;
    throw new SpreadError('ILLEGAL_SPREAD', message, { field: 'daemon', bound });
  }
  try {
    checkPrivateName(options.privateName);
  } catch (error) {
    throw toSpreadError(error);
  }
  const { priority } = options;
  if (priority !== 0 && priority !== 1) throw outOfRange('priority', priority, '0 to 1');
}

/**
 * The resulting limits of the mailbox.
 *
 * @throws MailboxError LIMIT_OUT_OF_RANGE
 */
export function effectiveLimits(options: ConnectOptions, settings: MailboxSettings): MailboxLimits {
  const { lease, queue } = settings;
  const leaseMs = options.leaseMs ?? lease.defaultMs;
  if (options.leaseMs !== undefined && !(leaseMs >= lease.minMs && leaseMs <= lease.maxMs)) {
    throw outOfRange('lease', `${leaseMs} ms`, `${lease.minMs} ms to ${lease.maxMs} ms`);
  }
  return {
    leaseMs,
    queue: {
      maxEvents: within('queue.max_events', options.queue.maxEvents, queue.maxEvents, 'events'),
      maxBytes: within('queue.max_bytes', options.queue.maxBytes, queue.maxBytes, 'bytes'),
      replayBytes: within('queue.replay_bytes', options.queue.replayBytes, queue.replayBytes, 'bytes'),
      overflow: options.queue.overflow ?? queue.overflow,
      softLimit: softLimit(options.queue.softLimit, queue.softLimit),
    },
    maxGroupsPerMessage: settings.maxGroupsPerMessage,
    maxMessageBytes: settings.maxMessageBytes,
    maxGroups: settings.maxGroups,
    maxSendQueueBytes: settings.maxSendQueueBytes,
  };
}

/** The operator's soft limit, or a stricter one. If the operator has none, any. */
function softLimit(
  asked: Partial<SoftLimitOptions> | undefined,
  { fraction, timeMs }: MailboxSettings['queue']['softLimit'],
): SoftLimitOptions | undefined {
  if (asked === undefined) return timeMs === undefined ? undefined : { fraction, timeMs };
  const own = {
    fraction: asked.fraction === undefined || asked.fraction === 0 ? fraction : asked.fraction,
    timeMs: asked.timeMs ?? timeMs,
  };
  const mostFraction = timeMs === undefined ? 1 : fraction;
  if (!(own.fraction > 0 && own.fraction <= mostFraction)) {
    const bound = `above 0 and at most ${mostFraction}, or 0 for the default ${fraction}`;
    throw outOfRange('queue.soft_limit.fraction', own.fraction, bound);
  }
  if (own.timeMs === undefined) {
    const field = 'queue.soft_limit.time';
    throw new MailboxError('FIELD_REQUIRED', `${field} is required: this sidecar has no default`, { field });
  }
  const mostMs = timeMs ?? SOFT_LIMIT_MAX_MS;
  if (!(own.timeMs >= SOFT_LIMIT_MIN_MS && own.timeMs <= mostMs)) {
    const bound = `${SOFT_LIMIT_MIN_MS} ms to ${mostMs} ms`;
    throw outOfRange('queue.soft_limit.time', `${own.timeMs} ms`, bound);
  }
  return { fraction: own.fraction, timeMs: own.timeMs };
}

/**
 * Time after a loss at which a reconnecting mailbox gives up. Unit: ms.
 *
 * @throws MailboxError LIMIT_OUT_OF_RANGE
 */
export function giveUpAfterMs(asked: ReconnectOptions, { reconnect }: MailboxSettings): number {
  const { defaultMs, minMs, maxMs } = reconnect.giveUp;
  const ms = asked.giveUpAfterMs ?? defaultMs;
  if (asked.giveUpAfterMs === undefined || (ms >= minMs && ms <= maxMs)) return ms;
  throw outOfRange('reconnect.give_up_after', `${ms} ms`, `${minMs} ms to ${maxMs} ms`);
}

function within(field: string, asked: number | undefined, bounded: Bounded, unit: string): number {
  if (asked === undefined || asked === 0) return bounded.default;
  if (Number.isInteger(asked) && asked >= 1 && asked <= bounded.max) return asked;
  throw outOfRange(field, asked, `1 to ${bounded.max} ${unit}, or 0 for the default ${bounded.default}`);
}

function outOfRange(field: string, value: number | string, bound: string): MailboxError {
  return new MailboxError('LIMIT_OUT_OF_RANGE', `${field} is ${value}; it must be ${bound}`, {
    field,
    bound,
  });
}
