import { byteSize, duration, integer } from '../values/numbers.js';
import { boolean, wordOr } from '../values/words.js';
import { autoCount, autoSize, offOr, option, type Section } from './section.js';

export const limits = {
  title: 'Limits on clients',
  text: 'Limits on the resources that clients can use. [limits.md](limits.md) lists the limits of all sections, with their errors and advice. The sidecar identifies a client by its token or certificate, else by the IP address of its connection. All clients that use Unix sockets and no token count as one client.',
  options: {
    maxConnections: option({
      type: autoCount('1', '100000'),
      default: 'auto',
      why: '2000 connections have room for 1000 clients with one mailbox each, and for 1000 new clients that replace them.',
      text: 'Largest number of client connections at the same time, on all addresses of grpc.listen together. Connections in a TLS handshake count too. The sidecar closes further connections immediately after it accepts them. With auto, memory.limit determines the number, at most 2000.',
    }),
    maxConnectionIdle: option({
      type: wordOr(['off'], duration({ min: '1s', max: '24h' })),
      default: '1h',
      why: 'A client that needs the connection again reconnects by itself.',
      text: 'Time after which the sidecar closes a connection without a call.',
    }),
    maxConnectionAge: option({
      type: wordOr(['off'], duration({ min: '1s', max: '720h' })),
      default: 'off',
      why: 'A local connection can stay open. Behind a load balancer, set an age to distribute the clients again.',
      text: 'Longest age of a connection, with a random change of up to a tenth. After this time, the connection accepts no further calls. Open calls get limits.maxConnectionAgeGrace to finish.',
    }),
    maxConnectionAgeGrace: option({
      type: duration({ min: '0s', max: '24h' }),
      default: '1m',
      why: 'Unary calls finish within this time. Clients reopen their streams, and mailboxes lose no events.',
      text: 'Time that open calls get to finish on a connection that has reached limits.maxConnectionAge. After this time, the calls end with UNAVAILABLE, reason CONNECTION_TOO_OLD. Applies only with limits.maxConnectionAge.',
    }),
    maxControlFrames: option({
      type: integer({ min: '10', max: '1000000' }),
      default: '1000',
      why: 'Keepalive needs far fewer frames. Clients that measure the bandwidth send PING frames in proportion to the data that they receive.',
      text: 'Number of PING and SETTINGS frames that a client may send per second on one connection. A client can save its unused allowance, up to the allowance of one second. For every 32 bytes that the sidecar sends, the client may send one more frame. The sidecar closes a connection that exceeds this limit.',
    }),
    maxMetadataBytes: option({
      type: byteSize({ min: '4KiB', max: '60KiB' }),
      default: '16KiB',
      why: 'Most gRPC clients and proxies accept no larger metadata. A token and a trace context need 1 KiB.',
      text: 'Largest size of the metadata of a call: names, values, and 32 bytes for each entry. The sidecar resets a call with larger metadata (ENHANCE_YOUR_CALM). Clients report this reset as RESOURCE_EXHAUSTED.',
    }),
    maxCalls: option({
      type: autoCount('16', '1000000'),
      default: 'auto',
      why: 'A call needs about 24 KiB.',
      text: 'Largest number of open calls of all clients, including streams. A further call gets RESOURCE_EXHAUSTED, reason TOO_MANY_CALLS. With auto, memory.limit determines the number, at most 10000.',
    }),
    maxCallsPerClient: option({
      type: offOr('1', '1000000'),
      default: 'off',
      why: 'Often there is only one client.',
      text: 'Largest number of open calls of one client. A further call gets RESOURCE_EXHAUSTED, reason TOO_MANY_CALLS.',
    }),
    maxCallsPerSecond: option({
      type: offOr('1', '1000000'),
      default: 'off',
      why: 'HTTP/2 and the other limits already slow down a client. Set a rate if several clients share a sidecar.',
      text: 'Number of calls that one client may start per second. Unused calls accumulate, up to the number for one second. A burst can therefore reach twice this number in one second. Further calls get RESOURCE_EXHAUSTED, reason RATE_LIMITED, with the time to wait.',
    }),
    maxMessagesPerSecond: option({
      type: offOr('1', '10000000'),
      default: 'off',
      why: 'The reason is the same as for limits.maxCallsPerSecond.',
      text: 'Number of messages that one client may send per second. Unused messages accumulate, up to the number for one second. A burst of Multicast calls can therefore reach twice this number in one second. A further Multicast gets RESOURCE_EXHAUSTED, reason RATE_LIMITED, and nothing is sent. A MulticastStream sends every batch completely. Its next batch waits until the rate allows more messages.',
    }),
    maxBatchMessages: option({
      type: integer({ min: '1', max: '20000' }),
      default: '10000',
      why: 'Even empty messages need memory. Batches of a few hundred messages are as fast as larger batches.',
      text: 'Largest number of messages in a batch of MulticastStream. A larger batch gets INVALID_ARGUMENT, reason LIMIT_OUT_OF_RANGE, and none of its messages is sent.',
    }),
    requestTimeout: option({
      type: duration({ min: '100ms', max: '1h' }),
      default: '1m',
      why: 'Even over a slow network, the largest request takes only seconds.',
      text: 'Longest time from the start of a call until its request has arrived completely. For MulticastStream, only the first frame counts. If the time passes, the call ends with DEADLINE_EXCEEDED, reason REQUEST_TIMEOUT.',
    }),
    stallTimeout: option({
      type: duration({ min: '100ms', max: '24h' }),
      default: '1m',
      why: 'Even a slow client reads something in this time. The limit does not apply to an open Receive, which may stall while its mailbox has room.',
      text: 'Longest time for which a client may read nothing of the last responses of a finished call. After this time, the sidecar resets the stream.',
    }),
    maxBufferedRequestBytes: option({
      type: autoSize('8MiB', '1024GiB'),
      default: 'auto',
      why: 'The sidecar divides memory.limit among all limits with auto. At least one request of the largest allowed size fits.',
      text: 'Largest size of all requests that have arrived but are not processed yet. Above this size, the sidecar ends the largest calls of the connections with the most request bytes. These calls get RESOURCE_EXHAUSTED, reason REQUEST_BUFFER_FULL. With auto, memory.limit determines the size: at most 256MiB, and at least grpc.maxReceiveMessageBytes.',
    }),
    maxUnsentResponseBytes: option({
      type: autoSize('256KiB', '1024GiB'),
      default: 'auto',
      why: 'The sidecar divides memory.limit among all limits with auto.',
      text: 'Largest size of all responses that clients have not read yet. One connection may not use more than the space that is still free. A call that needs more ends with RESOURCE_EXHAUSTED, reason TOO_MANY_CALLS. Events on Receive streams count in mailbox.totalQueueMaxBytes instead. With auto, memory.limit determines the size, at most 256MiB.',
    }),
    compressedRequests: option({
      type: boolean,
      default: 'false',
      why: 'A compressed request of 4 kB can expand to 4 MB. A local connection gains nothing from compression.',
      text: 'Accept compressed requests. If false, a compressed request gets UNIMPLEMENTED, reason COMPRESSION_NOT_SUPPORTED. In limits.maxBufferedRequestBytes, each compressed request counts with the size grpc.maxReceiveMessageBytes, because it can expand to this size.',
    }),
    maxMailboxesPerClient: option({
      type: offOr('1', '100000'),
      default: 'off',
      why: 'Often there is only one client.',
      text: 'Largest number of mailboxes of one client at the same time. A further Connect gets RESOURCE_EXHAUSTED, reason TOO_MANY_MAILBOXES.',
    }),
  },
} satisfies Section;
