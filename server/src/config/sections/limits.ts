import { byteSize, duration, integer } from '../values/numbers.js';
import { boolean, wordOr } from '../values/words.js';
import { autoCount, autoSize, offOr, option, type Section } from './section.js';

export const limits = {
  title: 'Limits on clients',
  text: 'Limits on what a client may cost the sidecar. [limits.md](limits.md) has every limit of all sections, with its error and advice. A token or certificate identifies a client. Without them, the address of the connection does, and all clients of Unix sockets are one.',
  options: {
    maxConnections: option({
      type: autoCount('1', '100000'),
      default: 'auto',
      why: 'Follows from memory.limit, at most 2000: a connection for each of 1000 mailboxes, and another 1000 for a time when new clients replace old ones.',
      text: 'Largest number of client connections at the same time, on all addresses of grpc.listen together, including TLS handshakes. The sidecar closes further connections immediately after it accepts them.',
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
      why: 'A local connection has no reason to age. Behind a load balancer, an age distributes clients again.',
      text: 'Longest lifetime of a connection, plus or minus a tenth. After it, the connection accepts no further calls, and open calls get limits.maxConnectionAgeGrace.',
    }),
    maxConnectionAgeGrace: option({
      type: duration({ min: '0s', max: '24h' }),
      default: '1m',
      why: 'Unary calls finish within it. Streams reconnect, and mailboxes lose nothing.',
      text: 'Time that open calls get to finish on a connection that has reached limits.maxConnectionAge. Then they end with UNAVAILABLE, reason CONNECTION_TOO_OLD. Applies only with limits.maxConnectionAge.',
    }),
    maxControlFrames: option({
      type: integer({ min: '10', max: '1000000' }),
      default: '1000',
      why: 'Keepalive needs far fewer. Clients that measure the bandwidth send PING frames in proportion to the data that they receive.',
      text: 'Largest number of PING and SETTINGS frames of a connection in one second, plus one for every 32 bytes sent to it. The sidecar closes a connection with more.',
    }),
    maxMetadataBytes: option({
      type: byteSize({ min: '4KiB', max: '60KiB' }),
      default: '16KiB',
      why: 'The largest size that gRPC clients and proxies commonly accept. A token and tracing need 1 KiB.',
      text: 'Largest size of the metadata of a call: names, values, and 32 bytes for each entry. The sidecar resets a call with more (ENHANCE_YOUR_CALM), which clients report as RESOURCE_EXHAUSTED.',
    }),
    maxCalls: option({
      type: autoCount('16', '1000000'),
      default: 'auto',
      why: 'Follows from memory.limit, at most 10000. A call costs about 24 KiB.',
      text: 'Largest number of open calls of all clients, including streams. A further call gets RESOURCE_EXHAUSTED, reason TOO_MANY_CALLS.',
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
      why: 'HTTP/2 and the other limits slow a client down already. A rate is for clients that share a sidecar.',
      text: 'Largest number of calls that one client may start in one second. Calls that a client does not use in one second remain available later, up to the same number. Further calls get RESOURCE_EXHAUSTED, reason RATE_LIMITED, with the time to wait.',
    }),
    maxMessagesPerSecond: option({
      type: offOr('1', '10000000'),
      default: 'off',
      why: 'As for limits.maxCallsPerSecond.',
      text: 'Largest number of messages that one client may send in one second. A further Multicast gets RESOURCE_EXHAUSTED, reason RATE_LIMITED, and nothing is sent. On a MulticastStream, the next batch waits.',
    }),
    maxBatchMessages: option({
      type: integer({ min: '1', max: '20000' }),
      default: '10000',
      why: 'Empty messages cost memory too. Batches of some hundred messages are as fast as larger ones.',
      text: 'Largest number of messages in a batch of MulticastStream. A larger batch gets INVALID_ARGUMENT, reason LIMIT_OUT_OF_RANGE, and none of its messages is sent.',
    }),
    requestTimeout: option({
      type: duration({ min: '100ms', max: '1h' }),
      default: '1m',
      why: 'The largest request takes seconds over a slow network.',
      text: 'Longest time until the request of a call has arrived completely; for MulticastStream, its first frame. Then the call ends with DEADLINE_EXCEEDED, reason REQUEST_TIMEOUT.',
    }),
    stallTimeout: option({
      type: duration({ min: '100ms', max: '24h' }),
      default: '1m',
      why: 'A client that reads at all reads something in that time. An open Receive may stall for as long as its mailbox has room.',
      text: 'Longest time that a finished call waits for a client that does not read its last responses. Then the sidecar resets the stream.',
    }),
    maxBufferedRequestBytes: option({
      type: autoSize('8MiB', '1024GiB'),
      default: 'auto',
      why: 'A share of memory.limit, at most 256MiB, and at least grpc.maxReceiveMessageBytes.',
      text: 'Largest size of all requests that have arrived and are not processed yet. Above it, the calls with the most request bytes end with RESOURCE_EXHAUSTED, reason REQUEST_BUFFER_FULL.',
    }),
    maxUnsentResponseBytes: option({
      type: autoSize('256KiB', '1024GiB'),
      default: 'auto',
      why: 'A share of memory.limit, at most 256MiB.',
      text: 'Largest size of all responses that clients have not read yet. One connection may use all of the free space. A call that needs more ends with RESOURCE_EXHAUSTED, reason TOO_MANY_CALLS. Events on Receive streams count in mailbox.totalQueueMaxBytes instead.',
    }),
    compressedRequests: option({
      type: boolean,
      default: 'false',
      why: 'Four kilobytes can expand to four megabytes. Compression gains nothing on a local connection.',
      text: 'Accept compressed requests. Otherwise they get UNIMPLEMENTED, reason COMPRESSION_NOT_SUPPORTED. Each compressed request counts as grpc.maxReceiveMessageBytes in limits.maxBufferedRequestBytes, because it can expand to that size.',
    }),
    maxMailboxesPerClient: option({
      type: offOr('1', '100000'),
      default: 'off',
      why: 'Often there is only one client.',
      text: 'Largest number of mailboxes of one client at the same time. A further Connect gets RESOURCE_EXHAUSTED, reason TOO_MANY_MAILBOXES.',
    }),
  },
} satisfies Section;
