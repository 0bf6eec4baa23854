// A bare grpc-js server: the floor of what a sidecar on grpc-js can reach. It copies messages and decodes nothing.
// Its only argument is the port.
import {
  type handleBidiStreamingCall,
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
} from '@grpc/grpc-js';
import { RAW_METHODS } from './raw-grpc.js';

type Stream = ServerDuplexStream<Buffer, Buffer>;

/** The first message of a stream is the topic that it receives. Each later one starts with the topic that gets it. */
const receivers = new Map<string, Stream>();

const relay: handleBidiStreamingCall<Buffer, Buffer> = (call) => {
  let own: string | undefined;
  call.on('data', (message: Buffer) => {
    if (own === undefined) {
      own = message.toString('latin1');
      receivers.set(own, call);
      call.write(Buffer.alloc(0));
      return;
    }
    const end = 1 + message.readUInt8(0);
    receivers.get(message.toString('latin1', 1, end))?.write(message.subarray(end));
  });
  call.on('end', () => {
    if (own !== undefined) receivers.delete(own);
    call.end();
  });
};

const echo: handleUnaryCall<Buffer, Buffer> = (call, respond) => respond(null, call.request);

const server = new Server();
server.addService(RAW_METHODS, { relay, echo });
server.bindAsync(`127.0.0.1:${process.argv[2]}`, ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
});
