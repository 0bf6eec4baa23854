/**
 * TypeScript client of spread-sidecar: Spread group communication over gRPC. Begin with {@link connect}.
 *
 * @packageDocumentation
 */
export {
  type ElectionOptions,
  joinElection,
  type LeaderElection,
  type Leadership,
} from './blocks/leader-election.js';
export { openReplicatedMap, type ReplicatedMap, type ReplicatedMapOptions } from './blocks/replicated-map.js';
export type { CallLimits } from './call.js';
export { connect, version } from './connect.js';
export * from './constants.js';
export { isSpreadErrorCode, SPREAD_ERRORS, type SpreadErrorCode, spreadErrorName } from './error-codes.js';
export { GroupId } from './group-id.js';
export {
  BAGGAGE_HEADER,
  CONTENT_TYPE_HEADER,
  CORRELATION_ID_HEADER,
  type MessageHeaders,
  REPLY_TO_HEADER,
  TRACEPARENT_HEADER,
  TRACESTATE_HEADER,
} from './headers.js';
export type { MailboxLimits, QueueLimits, QueueOptions, SoftLimit } from './limits.js';
export { Mailbox } from './mailbox.js';
export type { AcknowledgementMode, MailboxInfo, MailboxState, VersionTriple } from './mailbox-info.js';
export type {
  Attached,
  CurrentView,
  DisconnectOptions,
  MailboxNotices,
  MembershipOptions,
  PollResult,
} from './mailbox-types.js';
export {
  ConnectionLost,
  ConnectionRestored,
  type MembershipCause,
  MembershipMessage,
  RegularMessage,
  RejectedMessage,
  type RejectedOperation,
  SelfLeaveMessage,
  type SpreadEvent,
  TransitionalMessage,
  ViewMessage,
  type VirtualSynchronySet,
} from './messages.js';
export type { MulticastOptions, OutgoingMessage, Payload } from './outgoing.js';
export type { ReceiveOptions } from './receive-options.js';
export type { ReconnectOptions } from './reconnect.js';
export type { Replies, Reply } from './request-reply/pending-request.js';
export { openRequestReply, type RequestReply } from './request-reply/request-reply.js';
export type {
  HandlerReply,
  IncomingRequest,
  RequestHandler,
  RequestOptions,
  RequestReplyOptions,
  RequestService,
  ServeOptions,
} from './request-reply/request-types.js';
export { type Refusal, Sender, type SenderOptions, type SenderProgress } from './sender.js';
export { SERVICE_TYPES, type ServiceTypeName, serviceTypeName } from './service-type.js';
export {
  type AttachOptions,
  DEFAULT_TARGET,
  type MailboxOptions,
  type ReadyOptions,
  type SidecarOptions,
  type SidecarVersion,
  SpreadSidecar,
} from './sidecar.js';
export type { SlowConsumer } from './slow-consumer.js';
export { type SendOutcome, SpreadError, type StatusName } from './spread-error.js';
export type { SecurityOptions, TlsOptions, TokenSource } from './transport-security.js';
export * from './type-predicates.js';
