import {
  Acknowledgement,
  type Authentication,
  type ConnectRequest,
  type ConnectResponse,
  NameConflictPolicy,
  NameLossPolicy,
  OverflowPolicy,
  type ReconnectPolicy,
  type SoftLimit,
} from 'spread-sidecar-proto';
import type { ConnectOptions } from '../../mailbox/connection/connect-options.js';
import type { ReconnectOptions } from '../../mailbox/connection/reconnect-options.js';
import type { SoftLimitOptions } from '../../mailbox/mailbox-types.js';
import type { UnaryHandler } from '../calls/unary-call.js';
import { limitsMessage, versionMessage } from '../codec/convert.js';
import { chosen, countOf, millisecondsOf } from '../codec/request-fields.js';
import type { ServiceContext, ServiceLimits } from './service-context.js';

const NAME_CONFLICT = {
  field: 'on_name_conflict',
  prefix: 'NAME_CONFLICT_POLICY_',
  names: {
    [NameConflictPolicy.UNSPECIFIED]: 'FAIL',
    [NameConflictPolicy.FAIL]: 'FAIL',
    [NameConflictPolicy.SUFFIX]: 'SUFFIX',
  },
} as const;

const ACKNOWLEDGEMENT = {
  field: 'acknowledgement',
  prefix: 'ACKNOWLEDGEMENT_',
  names: {
    [Acknowledgement.UNSPECIFIED]: 'AUTO',
    [Acknowledgement.AUTO]: 'AUTO',
    [Acknowledgement.EXPLICIT]: 'EXPLICIT',
  },
} as const;

const NAME_LOSS = {
  field: 'reconnect.on_name_loss',
  prefix: 'NAME_LOSS_POLICY_',
  names: {
    [NameLossPolicy.UNSPECIFIED]: 'END',
    [NameLossPolicy.END]: 'END',
    [NameLossPolicy.SUFFIX]: 'SUFFIX',
    [NameLossPolicy.DAEMON_MADE]: 'DAEMON_MADE',
  },
} as const;

const OVERFLOW = {
  field: 'queue.overflow',
  prefix: 'OVERFLOW_POLICY_',
  names: {
    [OverflowPolicy.UNSPECIFIED]: undefined,
    [OverflowPolicy.PAUSE]: 'PAUSE',
    [OverflowPolicy.DISCONNECT]: 'DISCONNECT',
  },
} as const;

export function connect(context: ServiceContext): UnaryHandler<ConnectRequest, ConnectResponse> {
  return async (request, { signal, caller, use, peer, clientConnection: connection }) => {
    const options = connectOptions(request, context.limits);
    const call = { signal, caller, client: use.client, peer, connection };
    const mailbox = await context.registry.connect(options, call);
    return {
      mailboxId: mailbox.id,
      privateGroup: mailbox.privateGroup,
      daemonVersion: versionMessage(mailbox.daemonVersion),
      daemon: mailbox.daemon,
      limits: limitsMessage(mailbox.limits),
      acknowledgement: Acknowledgement[mailbox.acknowledgement],
    };
  };
}

function connectOptions(request: ConnectRequest, limits: ServiceLimits): ConnectOptions {
  const { queue } = request;
  return {
    daemon: request.daemon,
    privateName: request.privateName,
    onNameConflict: chosen(NAME_CONFLICT, request.onNameConflict),
    priority: request.priority,
    membership: request.membership ?? true,
    leaseMs: millisecondsOf(request.lease, 'lease', limits.leaseMinMs, limits.leaseMaxMs),
    endWithConnection: request.endWithConnection,
    auth: authMethod(request.auth),
    reconnect: request.reconnect?.enabled ? reconnectOptions(request.reconnect, limits) : undefined,
    queue: {
      maxEvents: countOf(queue?.maxEvents ?? 0n),
      maxBytes: countOf(queue?.maxBytes ?? 0n),
      replayBytes: countOf(queue?.replayBytes ?? 0n),
      overflow: chosen(OVERFLOW, queue?.overflow ?? OverflowPolicy.UNSPECIFIED),
      softLimit: queue?.softLimit && softLimitOptions(queue.softLimit),
    },
    acknowledgement: chosen(ACKNOWLEDGEMENT, request.acknowledgement),
  };
}

/** The mailbox checks its range, which depends on the operator's soft limit. */
function softLimitOptions({ fraction, time }: SoftLimit): Partial<SoftLimitOptions> {
  const timeMs = millisecondsOf(time, 'queue.soft_limit.time', 0, Number.POSITIVE_INFINITY);
  return { fraction, ...(timeMs === undefined ? {} : { timeMs }) };
}

function authMethod(auth: Authentication | undefined): ConnectOptions['auth'] {
  switch (auth?.method?.$case) {
    case 'nullMethod':
      return 'NULL';
    case 'ipMethod':
      return 'IP';
    default:
      return undefined;
  }
}

function reconnectOptions(policy: ReconnectPolicy, limits: ServiceLimits): ReconnectOptions {
  const { giveUpMinMs, giveUpMaxMs } = limits;
  return {
    giveUpAfterMs: millisecondsOf(policy.giveUpAfter, 'reconnect.give_up_after', giveUpMinMs, giveUpMaxMs),
    onNameLoss: chosen(NAME_LOSS, policy.onNameLoss),
    queueMulticasts: policy.queueMulticasts,
  };
}
