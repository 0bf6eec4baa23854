import type { DisconnectRequest, DisconnectResponse } from '../../gen/spread/sidecar/v1/mailbox_service.js';
import { required } from '../request-fields.js';
import type { ServiceContext } from '../service-context.js';
import type { UnaryHandler } from '../unary-call.js';

export function disconnect(context: ServiceContext): UnaryHandler<DisconnectRequest, DisconnectResponse> {
  return async ({ mailboxId, leaveGroupsFirst, abort }, { caller }) => {
    required(mailboxId, 'mailbox_id');
    const wasOpen = await context.registry.disconnect(mailboxId, { leaveGroupsFirst, abort }, caller);
    return { wasOpen };
  };
}
