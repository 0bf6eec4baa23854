import { SpreadCode, type SpreadCodeName } from './wire/index.js';

/** Canonical names of the gRPC statuses that Spread's codes map to. This layer knows the names only. */
export type CanonicalStatus =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'UNAUTHENTICATED'
  | 'UNAVAILABLE'
  | 'INTERNAL';

/** What is known about one Spread code. */
export interface ErrorRow {
  readonly code: SpreadCodeName;
  readonly number: number;
  readonly grpcStatus: CanonicalStatus;
  /** True when the same call can succeed later without a change to it. */
  readonly retryable: boolean;
  /** What it means, as a whole sentence. */
  readonly sentence: string;
}

function row(
  code: SpreadCodeName,
  grpcStatus: CanonicalStatus,
  retryable: boolean,
  sentence: string,
): ErrorRow {
  return Object.freeze({ code, number: SpreadCode[code], grpcStatus, retryable, sentence });
}

/** One row for each Spread error, those of the flush library included. */
export const ERROR_TABLE: readonly ErrorRow[] = Object.freeze([
  row(
    'ILLEGAL_SPREAD',
    'INVALID_ARGUMENT',
    false,
    'The address of the daemon is malformed or its host is unknown.',
  ),
  row('COULD_NOT_CONNECT', 'UNAVAILABLE', true, 'The daemon could not be reached.'),
  row('REJECT_QUOTA', 'RESOURCE_EXHAUSTED', true, 'The daemon has as many sessions as it can take.'),
  row('REJECT_NO_NAME', 'INVALID_ARGUMENT', false, 'The daemon wants a private name.'),
  row('REJECT_ILLEGAL_NAME', 'INVALID_ARGUMENT', false, 'The private name is illegal.'),
  row('REJECT_NOT_UNIQUE', 'ALREADY_EXISTS', true, 'The private name is in use at this daemon.'),
  row('REJECT_VERSION', 'FAILED_PRECONDITION', false, 'Daemon and client do not speak a common version.'),
  row('CONNECTION_CLOSED', 'UNAVAILABLE', true, 'The connection to the daemon was lost.'),
  row('REJECT_AUTH', 'UNAUTHENTICATED', false, 'The daemon refused the authentication.'),
  row('ILLEGAL_SESSION', 'NOT_FOUND', false, 'There is no such mailbox.'),
  row('ILLEGAL_SERVICE', 'INVALID_ARGUMENT', false, 'The service type is illegal.'),
  row('ILLEGAL_MESSAGE', 'INVALID_ARGUMENT', false, 'The message is malformed.'),
  row('ILLEGAL_GROUP', 'INVALID_ARGUMENT', false, 'A group name, or the number of groups, is illegal.'),
  row('BUFFER_TOO_SHORT', 'INTERNAL', false, 'A buffer was too short for a message.'),
  row('GROUPS_TOO_SHORT', 'INTERNAL', false, 'A buffer was too short for the groups of a message.'),
  row('MESSAGE_TOO_LONG', 'INVALID_ARGUMENT', false, 'The payload and its groups are too long.'),
  row('NET_ERROR_ON_SESSION', 'UNAVAILABLE', true, 'The connection to the daemon had been lost before.'),
  row('SP_BUG', 'INTERNAL', false, 'An internal error occurred.'),
  row('ILLEGAL_TIME', 'INVALID_ARGUMENT', false, 'A duration is malformed or out of bounds.'),
  row('ILLEGAL_PARAM', 'INVALID_ARGUMENT', false, 'A parameter is illegal.'),
  row('WOULD_BLOCK', 'RESOURCE_EXHAUSTED', true, 'The call would have to wait.'),
  row('ILLEGAL_MESSAGE_TYPE', 'INVALID_ARGUMENT', false, 'The message type is reserved.'),
  row('ILLEGAL_STATE', 'FAILED_PRECONDITION', false, 'The group is not in a state that allows the call.'),
  row('ILLEGAL_RECEIVERS', 'INVALID_ARGUMENT', false, 'The list of receivers is illegal.'),
]);

const byCode = new Map(ERROR_TABLE.map((entry) => [entry.code, entry]));

/** The row of `code`. */
export function errorRow(code: SpreadCodeName): ErrorRow {
  return byCode.get(code) as ErrorRow;
}
