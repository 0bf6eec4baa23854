import type { AcknowledgeRequest, AcknowledgeResponse } from 'spread-sidecar-proto';
import type { UnaryHandler } from '../calls/unary-call.js';
import { countOf } from '../codec/request-fields.js';
import { mailboxOf, type ServiceContext } from './service-context.js';

export function acknowledge(context: ServiceContext): UnaryHandler<AcknowledgeRequest, AcknowledgeResponse> {
  return ({ mailboxId, upToSequence }, call) => {
    const acknowledged = mailboxOf(context, call, mailboxId).acknowledge(countOf(upToSequence));
    return { acknowledgedSequence: BigInt(acknowledged) };
  };
}
