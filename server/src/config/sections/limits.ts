import { byteSize, duration, integer } from '../values/numbers.js';
import { boolean, wordOr } from '../values/words.js';
import { autoCount, autoSize, offOr, option, type Section } from './section.js';

export const limits = {
  title: 'Limits on clients',
  text: 'What a client may cost the sidecar. [limits.md](limits.md) has every limit, these and those in the other sections, with what a client is answered and what it should do. A client is who a token or client certificate says it is; without them it is the address that it comes from, and all who come by Unix sockets are one.',
  options: {
    maxConnections: option({
      type: autoCount('1', '100000'),
      default: 'auto',
      why: 'From memory.limit, at most 2000: a connection for each of 1000 mailboxes, and as many again while clients are replaced.',
      text: 'Most client connections at once, on all addresses of grpc.listen together, handshakes included; one more is closed when it is accepted.',
    }),
    maxConnectionIdle: option({
      type: wordOr(['off'], duration({ min: '1s', max: '24h' })),
      default: '1h',
      why: 'A client that needs it again connects by itself; one that forgot it gives its place back.',
      text: 'How long a connection without a call stays open.',
    }),
    maxConnectionAge: option({
      type: wordOr(['off'], duration({ min: '1s', max: '720h' })),
      default: 'off',
      why: 'A connection to the machine beside it has no reason to age. Behind a balancer it spreads clients anew.',
      text: 'How long a connection may live, give or take a tenth. Then it takes no more calls, and those that there are get limits.maxConnectionAgeGrace.',
    }),
    maxConnectionAgeGrace: option({
      type: duration({ min: '0s', max: '24h' }),
      default: '1m',
      why: 'Unary calls are through by then; streams are made anew, and mailboxes lose nothing.',
      text: 'How long the calls of a connection that is too old may go on; then they end with UNAVAILABLE, reason CONNECTION_TOO_OLD. Counts only with limits.maxConnectionAge.',
    }),
    maxControlFrames: option({
      type: integer({ min: '10', max: '1000000' }),
      default: '1000',
      why: 'Far above keep-alive. Clients that measure their bandwidth by PING do so for what they are sent, which counts in their favour.',
      text: 'Most PING and SETTINGS frames of a connection in a second, and one more for every 32 bytes that it was sent; with more it is closed.',
    }),
    maxMetadataBytes: option({
      type: byteSize({ min: '4KiB', max: '60KiB' }),
      default: '16KiB',
      why: 'The most that gRPC clients and proxies commonly take themselves; a token and tracing need one.',
      text: "Most bytes of a call's metadata, names and values, and 32 for each; more is reset with ENHANCE_YOUR_CALM, which clients report as RESOURCE_EXHAUSTED.",
    }),
    maxCalls: option({
      type: autoCount('16', '1000000'),
      default: 'auto',
      why: 'From memory.limit, at most 10000. A call costs some 24 KiB.',
      text: 'Most calls at once, of all clients, streams included; one more is answered with RESOURCE_EXHAUSTED, reason TOO_MANY_CALLS.',
    }),
    maxCallsPerClient: option({
      type: offOr('1', '1000000'),
      default: 'off',
      why: 'Often one client is all that there is.',
      text: 'Most calls at once of one client; one more is answered with RESOURCE_EXHAUSTED, reason TOO_MANY_CALLS.',
    }),
    maxCallsPerSecond: option({
      type: offOr('1', '1000000'),
      default: 'off',
      why: 'HTTP/2 and the other bounds hold a client back already; a rate is for clients that share a sidecar.',
      text: 'Most calls that one client may begin in a second; what it does not use of one second it may use later, at most at once. More is answered with RESOURCE_EXHAUSTED, reason RATE_LIMITED, and the time to wait.',
    }),
    maxMessagesPerSecond: option({
      type: offOr('1', '10000000'),
      default: 'off',
      why: 'As for limits.maxCallsPerSecond.',
      text: 'Most messages that one client may send in a second. A Multicast above is answered with RESOURCE_EXHAUSTED, reason RATE_LIMITED, and nothing is sent; on a MulticastStream the next batch waits.',
    }),
    maxBatchMessages: option({
      type: integer({ min: '1', max: '20000' }),
      default: '10000',
      why: 'Empty messages cost memory too. Batches of some hundred are as fast as larger ones.',
      text: 'Most messages in a batch of MulticastStream; more is answered with INVALID_ARGUMENT, reason LIMIT_OUT_OF_RANGE, and nothing of the batch is sent.',
    }),
    requestTimeout: option({
      type: duration({ min: '100ms', max: '1h' }),
      default: '1m',
      why: 'The largest request over a slow network takes seconds.',
      text: 'How long the request of a call may take to arrive in full, of MulticastStream the first frame; then the call ends with DEADLINE_EXCEEDED, reason REQUEST_TIMEOUT.',
    }),
    stallTimeout: option({
      type: duration({ min: '100ms', max: '24h' }),
      default: '1m',
      why: 'Whoever reads takes a part in that time. A Receive that is not over may stall for as long as its mailbox has room.',
      text: 'How long a call that is over may wait for a client that takes nothing of its last answers; then its stream is reset.',
    }),
    maxBufferedRequestBytes: option({
      type: autoSize('8MiB', '1024GiB'),
      default: 'auto',
      why: 'A share of memory.limit, at most 256MiB, and at least grpc.maxReceiveMessageBytes.',
      text: 'Most bytes of requests of all calls together that have arrived and are not processed yet; above, those that hold most end with RESOURCE_EXHAUSTED, reason REQUEST_BUFFER_FULL.',
    }),
    maxUnsentResponseBytes: option({
      type: autoSize('256KiB', '1024GiB'),
      default: 'auto',
      why: 'A share of memory.limit, at most 256MiB.',
      text: 'Most bytes of responses of all calls together that clients have not taken yet. One connection may hold as much as is still free; a call that would need more ends with RESOURCE_EXHAUSTED, reason TOO_MANY_CALLS. Events on Receive streams count in mailbox.totalQueueMaxBytes instead.',
    }),
    compressedRequests: option({
      type: boolean,
      default: 'false',
      why: 'Four kilobytes can become four megabytes, and on the way to the process beside it nothing is gained.',
      text: 'Take requests that are compressed; else they are answered with UNIMPLEMENTED, reason COMPRESSION_NOT_SUPPORTED. Each counts as grpc.maxReceiveMessageBytes in limits.maxBufferedRequestBytes.',
    }),
    maxMailboxesPerClient: option({
      type: offOr('1', '100000'),
      default: 'off',
      why: 'Often one client is all that there is.',
      text: 'Most mailboxes at once of one client; one more is answered with RESOURCE_EXHAUSTED, reason TOO_MANY_MAILBOXES.',
    }),
  },
} satisfies Section;
