import type { LeaveRequest, LeaveResponse } from 'spread-sidecar-proto';
import type { UnaryHandler } from '../calls/unary-call.js';
import { selfLeaveMessage } from '../codec/event-message.js';
import { mailboxOf, type ServiceContext } from './service-context.js';

export function leave(context: ServiceContext): UnaryHandler<LeaveRequest, LeaveResponse> {
  return async ({ mailboxId, group, awaitView }, call) => {
    const selfLeave = await mailboxOf(context, call, mailboxId).leave(group, {
      awaitView,
      signal: call.signal,
    });
    return { selfLeave: selfLeave && selfLeaveMessage(selfLeave) };
  };
}
