import type { ListMailboxesRequest, ListMailboxesResponse } from 'spread-sidecar-proto';
import type { UnaryHandler } from '../calls/unary-call.js';
import { mailboxMessage } from '../codec/convert.js';
import { EdgeError } from '../codec/edge-error.js';
import type { ServiceContext } from './service-context.js';

export function listMailboxes(
  context: ServiceContext,
): UnaryHandler<ListMailboxesRequest, ListMailboxesResponse> {
  return ({ pageSize, pageToken }, { metadata }) => {
    if (!context.admin.accepts(metadata)) {
      throw new EdgeError(
        'ADMIN_ONLY',
        'ListMailboxes needs the admin token as authorization: Bearer <token>',
        { field: 'authorization' },
      );
    }
    const { mailboxes, nextPageToken } = context.registry.list({ pageSize, pageToken });
    return { mailboxes: mailboxes.map(mailboxMessage), nextPageToken };
  };
}
