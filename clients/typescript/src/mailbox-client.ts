import {
  type ChannelCredentials,
  type ClientOptions,
  type ClientReadableStream,
  type Metadata,
  makeGenericClientConstructor,
} from '@grpc/grpc-js';
import {
  type MailboxServiceClient as Generated,
  MailboxServiceService,
  type ReceiveRequest,
} from 'spread-sidecar-proto';
import { decodeResponse, type ReceivedResponse } from './batch-decoder.js';
import { serializeFrame } from './batch-encoder.js';

/** The generated stub, with a Receive that returns this package's events. */
export interface MailboxServiceClient extends Omit<Generated, 'receive'> {
  receive(request: ReceiveRequest, metadata: Metadata): ClientReadableStream<ReceivedResponse>;
}

/** The generated definition with faster codecs for the two frames that carry many messages. */
const definition = {
  ...MailboxServiceService,
  receive: { ...MailboxServiceService.receive, responseDeserialize: decodeResponse },
  multicastStream: { ...MailboxServiceService.multicastStream, requestSerialize: serializeFrame },
};

export const MailboxServiceClient = makeGenericClientConstructor(
  definition,
  'spread.sidecar.v1.MailboxService',
) as unknown as new (
  address: string,
  credentials: ChannelCredentials,
  options?: Partial<ClientOptions>,
) => MailboxServiceClient;
