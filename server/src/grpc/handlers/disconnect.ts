import type { DisconnectRequest, DisconnectResponse } from 'spread-sidecar-proto';
import type { UnaryHandler } from '../calls/unary-call.js';
import { required } from '../codec/request-fields.js';
import type { ServiceContext } from './service-context.js';

export function disconnect(context: ServiceContext): UnaryHandler<DisconnectRequest, DisconnectResponse> {
  return async ({ mailboxId, leaveGroupsFirst, abort }, { caller }) => {
    required(mailboxId, 'mailbox_id');
    const wasOpen = await context.registry.disconnect(mailboxId, { leaveGroupsFirst, abort }, caller);
    return { wasOpen };
  };
}
