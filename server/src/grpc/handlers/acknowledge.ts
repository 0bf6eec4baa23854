import type { AcknowledgeRequest, AcknowledgeResponse } from '../../gen/spread/sidecar/v1/mailbox_service.js';
import { countOf } from '../request-fields.js';
import { mailboxOf, type ServiceContext } from '../service-context.js';
import type { UnaryHandler } from '../unary-call.js';

export function acknowledge(context: ServiceContext): UnaryHandler<AcknowledgeRequest, AcknowledgeResponse> {
  return ({ mailboxId, upToSequence }, call) => {
    const acknowledged = mailboxOf(context, call, mailboxId).acknowledge(countOf(upToSequence));
    return { acknowledgedSequence: BigInt(acknowledged) };
  };
}
