import type { LeaveRequest, LeaveResponse } from '../../gen/spread/sidecar/v1/mailbox_service.js';
import { selfLeaveMessage } from '../event-message.js';
import { mailboxOf, type ServiceContext } from '../service-context.js';
import type { UnaryHandler } from '../unary-call.js';

export function leave(context: ServiceContext): UnaryHandler<LeaveRequest, LeaveResponse> {
  return async ({ mailboxId, group, awaitView }, call) => {
    const selfLeave = await mailboxOf(context, call, mailboxId).leave(group, {
      awaitView,
      signal: call.signal,
    });
    return { selfLeave: selfLeave && selfLeaveMessage(selfLeave) };
  };
}
