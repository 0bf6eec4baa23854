import { type MailboxReason, SidecarError } from '../../mailbox/sidecar-error.js';
import type { EDGE_ERRORS } from './error-table.js';

/** The edge also raises reasons of mailboxes, such as FIELD_REQUIRED. */
export type SidecarReason = MailboxReason | keyof typeof EDGE_ERRORS;

/** A failure that the gRPC edge raises: a call fails before, beside or after the work of its mailbox. */
export class EdgeError extends SidecarError<SidecarReason> {}
