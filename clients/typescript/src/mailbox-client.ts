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
import { countShortLived } from './short-lived-buffers.js';

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

/** The same, for a channel that has short-lived buffers collected. */
const collecting = {
  ...definition,
  receive: {
    ...definition.receive,
    responseDeserialize: (bytes: Buffer) => {
      countShortLived(bytes.length);
      return decodeResponse(bytes);
    },
  },
  multicast: { ...definition.multicast, requestSerialize: counted(definition.multicast.requestSerialize) },
  multicastStream: {
    ...definition.multicastStream,
    requestSerialize: counted(definition.multicastStream.requestSerialize),
  },
};

function counted<Message>(serialize: (message: Message) => Buffer): (message: Message) => Buffer {
  return (message) => {
    const bytes = serialize(message);
    countShortLived(bytes.length);
    return bytes;
  };
}

type Constructor = new (
  address: string,
  credentials: ChannelCredentials,
  options?: Partial<ClientOptions>,
) => MailboxServiceClient;

const SERVICE = 'spread.sidecar.v1.MailboxService';
const Plain = makeGenericClientConstructor(definition, SERVICE) as unknown as Constructor;
const Collecting = makeGenericClientConstructor(collecting, SERVICE) as unknown as Constructor;

/** @param collectsBuffers - whether large messages have the young generation collected */
export function createStub(
  address: string,
  credentials: ChannelCredentials,
  options: Partial<ClientOptions>,
  collectsBuffers: boolean,
): MailboxServiceClient {
  return new (collectsBuffers ? Collecting : Plain)(address, credentials, options);
}
