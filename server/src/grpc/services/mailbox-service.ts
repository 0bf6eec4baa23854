import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { MailboxServiceService, type MulticastStreamRequest, PROTOBUF_PACKAGE } from 'spread-sidecar-proto';
import type { ServiceRegistration } from '../calls/service-registration.js';
import { type UnaryHandler, unary } from '../calls/unary-call.js';
import { refuseMalformed, Undecoded } from '../codec/malformed.js';
import { decodeBatchFrame } from '../codec/multicast-frames.js';
import { serializeFrame } from '../codec/receive-frames.js';
import { acknowledge } from '../handlers/acknowledge.js';
import { connect } from '../handlers/connect.js';
import { disconnect } from '../handlers/disconnect.js';
import { getMailbox } from '../handlers/get-mailbox.js';
import { getVersion } from '../handlers/get-version.js';
import { getView } from '../handlers/get-view.js';
import { join } from '../handlers/join.js';
import { leave } from '../handlers/leave.js';
import { listMailboxes } from '../handlers/list-mailboxes.js';
import { multicast } from '../handlers/multicast.js';
import { multicastStream } from '../handlers/multicast-stream.js';
import { poll } from '../handlers/poll.js';
import { receive } from '../handlers/receive.js';
import type { ServiceContext } from '../handlers/service-context.js';

/** Full name of the contract's service, for health and reflection. */
/** The name and version of the contract. */
export const CONTRACT: string = PROTOBUF_PACKAGE;
export const MAILBOX_SERVICE = 'spread.sidecar.v1.MailboxService';

/** Decoding takes longer than all other work for an arriving request. */
const LARGE_REQUEST_BYTES = 4096;

/** The methods, for code that needs them before the service exists. */
export const MAILBOX_DEFINITION: ServiceDefinition = MailboxServiceService;

/** Every method has a handler. A missing handler is a compile error. */
type Implementation = Record<keyof typeof MailboxServiceService, UntypedServiceImplementation[string]>;

/** The contract's service. */
export function mailboxService(context: ServiceContext): ServiceRegistration {
  const answer = <Request, Response>(handler: UnaryHandler<Request, Response>) =>
    unary(context.failures, handler) as UntypedServiceImplementation[string];
  const implementation: Implementation = {
    connect: answer(connect(context)),
    disconnect: answer(disconnect(context)),
    join: answer(join(context)),
    leave: answer(leave(context)),
    multicast: answer(multicast(context)),
    multicastStream: multicastStream(context) as UntypedServiceImplementation[string],
    receive: receive(context) as UntypedServiceImplementation[string],
    acknowledge: answer(acknowledge(context)),
    poll: answer(poll(context)),
    getMailbox: answer(getMailbox(context)),
    getView: answer(getView(context)),
    listMailboxes: answer(listMailboxes(context)),
    getVersion: answer(getVersion(context)),
  };
  const definition = refuseMalformed({
    ...MailboxServiceService,
    // Receive encodes its frames itself.
    receive: { ...MailboxServiceService.receive, responseSerialize: serializeFrame },
  });
  const { requestDeserialize } = definition.multicastStream;
  const decode = (bytes: Buffer) => decodeBatchFrame(bytes) ?? requestDeserialize(bytes);
  const decodeInTurn = (bytes: Buffer): MulticastStreamRequest | Undecoded<MulticastStreamRequest> =>
    bytes.length < LARGE_REQUEST_BYTES ? decode(bytes) : new Undecoded(bytes, decode);
  definition.multicastStream = {
    ...definition.multicastStream,
    // MulticastSession decodes large frames.
    requestDeserialize: decodeInTurn as typeof requestDeserialize,
  };
  return { definition, implementation };
}
