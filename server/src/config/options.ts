// The one table of options. Flags, environment, file keys, help, docs/configuration.md and the type of the
// configuration are all made from it: an option that is not here does not exist. A default is written as an operator would
// write it and is read like any other value; `why` is the reason for it.
import { listenAddress, socketPath, spreadName, tcpAddress } from './values/addresses.js';
import { byteSize, duration, fileMode, fraction, integer } from './values/numbers.js';
import type { ValueType } from './values/value-type.js';
import { boolean, groupName, listOf, oneOf, orEmpty, text, token, wordOr } from './values/words.js';

const offOr = (min: string, max: string) => wordOr(['off'], integer({ min, max }));

/** A bound that follows from memory.limit where it is not set. */
const autoCount = (min: string, max: string) => wordOr(['auto'], integer({ min, max }));
const autoSize = (min: string, max: string) => wordOr(['auto'], byteSize({ min, max }));

export interface Option<T> {
  readonly type: ValueType<T>;
  readonly default: string;
  /** The reason for the default. */
  readonly why: string;
  /** What it does: a sentence without the name, the bounds and the default, which are added. */
  readonly text: string;
  /** The flag without dashes where it is not made from the key; the environment variable follows it. */
  readonly flag?: string;
  /** Never shown, and without a flag: a command line can be read by every user of the machine. */
  readonly secret?: true;
}

export interface Section {
  readonly title: string;
  readonly text: string;
  readonly options: Readonly<Record<string, Option<unknown>>>;
}

const option = <T>(row: Option<T>): Option<T> => row;

const path = text({ expects: 'the path of a file', placeholder: 'path', pattern: /^[^\0]+$/ });

export const sections = {
  grpc: {
    title: 'gRPC',
    text: 'The mailbox service, health and reflection.',
    options: {
      listen: option({
        type: listOf(listenAddress, { min: 1, max: 16 }),
        default: '127.0.0.1:4813',
        why: 'The application beside it is on the same machine or in the same pod; nobody else is let in.',
        text: 'Where the gRPC server listens.',
      }),
      socketMode: option({
        type: fileMode({ min: '0600', max: '0777' }),
        default: '0660',
        why: 'User and group may connect: containers of a pod share a group more often than a user.',
        text: 'Permission bits of the Unix sockets in grpc.listen.',
      }),
      socketGroup: option({
        type: orEmpty(groupName),
        default: '',
        why: "The group of the sidecar's own process.",
        text: 'Group of the Unix sockets in grpc.listen, by name or number. The sidecar must be a member of it, or root.',
      }),
      tlsCert: option({
        type: orEmpty(path),
        default: '',
        why: 'Loopback and Unix sockets need no TLS.',
        text: "The server's certificate and those that lead to its authority, in PEM. Then every TCP address of grpc.listen speaks TLS 1.2 or 1.3. Read anew when it changes.",
      }),
      tlsKey: option({
        type: orEmpty(path),
        default: '',
        why: 'The file of the certificate may hold the key too.',
        text: 'The private key of grpc.tlsCert, in PEM; none: it is in the same file. Read anew when it changes.',
      }),
      tlsClientCa: option({
        type: orEmpty(path),
        default: '',
        why: 'Without it, clients need no certificate.',
        text: 'Authorities of client certificates, in PEM. Then every TLS client must show a certificate of one of them, and a mailbox belongs to its subject and alternative names. Read anew when it changes.',
      }),
      tokens: option({
        type: listOf(token, { min: 0, max: 64 }),
        default: '',
        why: 'No client needs a token until the operator makes one.',
        text: 'Client tokens. Then every call but those of health, on every address, must bring one as `authorization: Bearer <token>`, and a mailbox belongs to the token that opened it.',
        secret: true,
      }),
      tokenFile: option({
        type: orEmpty(path),
        default: '',
        why: 'As for grpc.tokens.',
        text: 'A file of client tokens, one a line, each with a name before it if it has one: tokens of one name are one client. Instead of grpc.tokens. Read anew when it changes.',
      }),
      reloadInterval: option({
        type: duration({ min: '50ms', max: '1h' }),
        default: '5s',
        why: 'Kubernetes itself takes a minute to bring a changed secret.',
        text: 'How often the files of certificates and tokens, also admin.tokenFile, are looked at for a change.',
      }),
      insecure: option({
        type: boolean,
        default: 'false',
        why: 'Whoever can read the network could read and send everything.',
        text: 'Allow TCP addresses in grpc.listen that other machines can reach although there is no TLS, as behind a mesh that does it.',
        flag: 'insecure',
      }),
      reflection: option({
        type: boolean,
        default: 'true',
        why: 'grpcurl and the like work without proto files. The contract is public.',
        text: 'Serve gRPC server reflection (v1 and v1alpha).',
      }),
      maxReceiveMessageBytes: option({
        type: byteSize({ min: '256KiB', max: '64MiB' }),
        default: '4MiB',
        why: "gRPC's own default. The largest Spread message needs 140 KiB; the rest is room for MulticastStream batches, which the TypeScript client fills up to 1 MiB and one message.",
        text: 'Most bytes of one gRPC message that a client may send; more is answered with RESOURCE_EXHAUSTED.',
      }),
      maxConcurrentStreams: option({
        type: autoCount('16', '1000000'),
        default: 'auto',
        why: 'Half of limits.maxCalls, at most 4096: one connection cannot take the calls of all others.',
        text: 'Most calls that may be open at once on one client connection; further ones wait in the client. Where tokens are required, a connection may have 100 until one of its calls brings a token.',
      }),
    },
  },
  admin: {
    title: 'Admin port and credential',
    text: 'Metrics and health over HTTP, gRPC health, and what only operators may call.',
    options: {
      listen: option({
        type: wordOr(['off'], tcpAddress),
        default: '127.0.0.1:4814',
        why: 'Safe anywhere. Kubernetes probes and Prometheus come to the pod address: set 0.0.0.0:4814 there.',
        text: 'Where /metrics, /livez, /readyz, /startupz and gRPC health are served; off: nowhere.',
      }),
      token: option({
        type: orEmpty(token),
        default: '',
        why: 'No credential exists until the operator makes one: ListMailboxes is refused.',
        text: 'The admin credential that ListMailboxes wants as `authorization: Bearer <token>`.',
        secret: true,
      }),
      tokenFile: option({
        type: orEmpty(path),
        default: '',
        why: 'As for admin.token.',
        text: 'A file of admin credentials, one a line; each of them is taken. Instead of admin.token. Read anew when it changes.',
      }),
      quitquitquit: option({
        type: boolean,
        default: 'false',
        why: 'Whoever may ask for it can end the sidecar.',
        text: 'Serve `POST /quitquitquit` on admin.listen, which drains the sidecar and ends it with exit code 0, for the Job whose work is done. Requests need the admin credential where there is one. Without one the sidecar accepts only direct requests from this machine or pod, none that a proxy or service mesh forwarded, and warns at start.',
      }),
      failureInjection: option({
        type: boolean,
        default: 'false',
        why: 'For tests alone: whoever may ask for it can cut the connections of others.',
        text: 'Serve `POST /drop-mailbox?mailbox=…` on admin.listen, which cuts the connection of a mailbox (by its id, display id or private group) to its daemon as if the daemon had. Who may ask is as for admin.quitquitquit.',
      }),
    },
  },
  daemon: {
    title: 'Spread daemon',
    text: 'The daemons that mailboxes connect to. A spread name is written as for any Spread client: `4803` is the Unix socket /tmp/4803, `4803@host` is TCP, `/path` is a Unix socket.',
    options: {
      addresses: option({
        type: listOf(spreadName, { min: 1, max: 16 }),
        default: '4803',
        why: "Spread's own default: the daemon on this machine, over its Unix socket.",
        text: 'The default daemon. With several, the next one is tried when one cannot be reached. Not together with embedded.enabled.',
      }),
      allow: option({
        type: listOf(spreadName, { min: 0, max: 256 }),
        default: '',
        why: 'A sidecar is no open proxy.',
        text: 'Further daemons that a client may name in Connect; any other is answered with PERMISSION_DENIED. The embedded daemon may be named by each address that it listens at, and by port@localhost.',
      }),
      connectTimeout: option({
        type: duration({ min: '100ms', max: '2m' }),
        default: '10s',
        why: 'A daemon that changes its membership answers no new session for some seconds.',
        text: 'How long a connection to one daemon, with its handshake, may take.',
      }),
      auth: option({
        type: oneOf('null', 'ip'),
        default: 'null',
        why: "Spread's own default.",
        text: 'How the sidecar shows itself to daemons, in its own session and where a client names no method. ip: the daemon looks at the address that the sidecar comes from (spread.access_ip), over TCP and IPv4 only.',
      }),
      maxGroupsPerMessage: option({
        type: integer({ min: '1', max: '100' }),
        default: '43',
        why: 'Spread 5.0.1 loses messages to more groups. Raise it only for daemons that are known to deliver them.',
        text: 'Most groups that one message may be sent to; more is answered with INVALID_ARGUMENT, reason ILLEGAL_GROUP.',
      }),
      monitorBackoffMin: option({
        type: duration({ min: '10ms', max: '1m' }),
        default: '100ms',
        why: 'A daemon that only restarts is found again at once.',
        text: 'The sidecar holds one session of its own at the default daemon to know its health. First pause before it is made anew; it doubles, with jitter, up to daemon.monitorBackoffMax.',
      }),
      monitorBackoffMax: option({
        type: duration({ min: '10ms', max: '10m' }),
        default: '1s',
        why: 'The sidecar is ready within two seconds after its daemon is back, and an attempt a second costs nothing.',
        text: 'Longest pause between two attempts of that session.',
      }),
    },
  },
  embedded: {
    title: 'Embedded daemon',
    text: 'A single-node Spread daemon inside the sidecar, for development and tests. The other options here count only when it is enabled.',
    options: {
      enabled: option({
        type: boolean,
        default: 'false',
        why: 'It never forms a cluster: whoever wants it says so.',
        text: 'Run the embedded daemon and use it as the default daemon.',
        flag: 'embedded-daemon',
      }),
      name: option({
        type: text({
          expects: 'a daemon name of 1 to 19 characters 0x24 `$` to 0x7e `~`',
          placeholder: 'name',
          pattern: /^[$-~]{1,19}$/,
        }),
        default: 'localhost',
        why: "The name in Spread's sample configuration.",
        text: 'Name of the daemon, the second part of private groups such as #alice#localhost.',
      }),
      listen: option({
        type: wordOr(['off'], tcpAddress),
        default: '127.0.0.1:4803',
        why: "Spread's port, this machine only: Spread clients have no password here.",
        text: 'Where the daemon listens for Spread clients on TCP; off: not on TCP.',
      }),
      socket: option({
        type: wordOr(['auto', 'off'], socketPath),
        default: 'auto',
        why: "Spread's own clients look for /tmp/<port>.",
        text: 'Its Unix socket; auto: /tmp/<port of embedded.listen>; off: none.',
      }),
      maxSessions: option({
        type: integer({ min: '1', max: '100000' }),
        default: '997',
        why: "Spread's own limit.",
        text: 'Most clients of the daemon at once, the mailboxes and one session of the sidecar itself among them; one more is answered with REJECT_QUOTA.',
      }),
      maxSessionMessages: option({
        type: integer({ min: '1', max: '1000000' }),
        default: '1000',
        why: "Spread's own limit.",
        text: 'A client with more unread messages than this is cut (MaxSessionMessages in spread.conf).',
      }),
      maxQueueBytes: option({
        type: autoSize('256KiB', '1024GiB'),
        default: 'auto',
        why: 'A share of memory.limit, at most 256MiB.',
        text: 'Most bytes of unread messages of all clients together, and 256 for each message. Above, the daemon cuts the client that holds most.',
      }),
    },
  },
  mailbox: {
    title: 'Mailboxes',
    text: 'Lifetime and bounds of mailboxes. A client that asks for more than a bound is answered with INVALID_ARGUMENT, reason LIMIT_OUT_OF_RANGE; one that asks for nothing gets the bound itself, and for the lease the default.',
    options: {
      privateNameSeed: option({
        type: orEmpty(
          text({
            expects: 'a text of 1 to 200 characters without control characters',
            placeholder: 'text',
            pattern: /^[^\p{Cc}]{1,200}$/u,
          }),
        ),
        default: '',
        why: 'The daemon makes the name of a mailbox whose client asks for none.',
        text: "Makes the private names of mailboxes whose clients ask for none: seven characters of this text's SHA-256, then a number. Give what is unique to this sidecar, such as the uid of its pod. The log and the metric spread_sidecar_private_name_info say which seed a name is of.",
      }),
      leaseDefault: option({
        type: duration({ min: '100ms', max: '24h' }),
        default: '30s',
        why: 'Longer than a rolling restart of a stream, short enough that the groups learn soon of an application that died.',
        text: 'How long a mailbox lives while no Receive is attached and no call uses it, for clients that ask for no lease.',
      }),
      leaseMin: option({
        type: duration({ min: '100ms', max: '24h' }),
        default: '1s',
        why: 'Less would end mailboxes at an ordinary pause of a garbage collector.',
        text: 'Shortest lease that a client may ask for.',
      }),
      leaseMax: option({
        type: duration({ min: '100ms', max: '24h' }),
        default: '1h',
        why: 'A forgotten mailbox holds memory and a session of the daemon.',
        text: 'Longest lease that a client may ask for.',
      }),
      queueMaxEvents: option({
        type: integer({ min: '1', max: '100000000' }),
        default: '1000000',
        why: 'Bounds what many tiny events cost beside their bytes.',
        text: 'Most events that may wait in a mailbox.',
      }),
      queueMaxBytes: option({
        type: autoSize('256KiB', '16GiB'),
        default: 'auto',
        why: "mailbox.totalQueueMaxBytes, at most 64MiB. An application's pause of seconds costs nothing; the minimum holds the largest Spread message.",
        text: 'Most bytes of encoded events that may wait in a mailbox.',
      }),
      replayWindow: option({
        type: autoSize('0', '1GiB'),
        default: 'auto',
        why: 'A sixteenth of mailbox.totalQueueMaxBytes, from 256KiB to 4MiB: more than a transport holds in flight, so that a broken stream is resumed without loss.',
        text: 'Acknowledgement AUTO: most bytes of events already handed to the transport that are kept for a stream that resumes.',
      }),
      overflow: option({
        type: oneOf('pause', 'disconnect'),
        default: 'pause',
        why: 'What a native client sees: the daemon has a limit of its own and enforces it.',
        text: 'What happens at a full queue. pause: stop reading from the daemon, which cuts the mailbox at its own limit; disconnect: end the mailbox with QUEUE_OVERFLOW. Events are never dropped from the middle.',
      }),
      slowNotice: option({
        type: fraction({ min: '0.1', max: '1' }),
        default: '0.8',
        why: 'Time is left to do something.',
        text: 'The part of a queue bound at which the receiver is told that it is slow and metrics and log name it.',
      }),
      softLimit: option({
        type: fraction({ min: '0.01', max: '1' }),
        default: '0.5',
        why: 'A queue that is half full for long does not catch up, and has still room for the time that it is given.',
        text: 'The soft bound: the part of a queue bound above which a queue may be for mailbox.softLimitTime only. Clients may ask for less.',
      }),
      softLimitTime: option({
        type: wordOr(['off'], duration({ min: '100ms', max: '24h' })),
        default: 'off',
        why: 'A pause of the application costs nothing as long as there is memory; whoever shares a small one sets it.',
        text: 'How long a queue may stay above mailbox.softLimit without a break before its mailbox is ended with SLOW_CONSUMER, the receiver having been told when it rose. Clients may ask for less; with off, for any soft limit of their own or none.',
      }),
      reconnectGiveUpDefault: option({
        type: duration({ min: '100ms', max: '24h' }),
        default: '1m',
        why: 'Long enough for a daemon to be restarted or replaced.',
        text: 'How long after the loss of its daemon connection a mailbox that reconnects ends, for clients that do not say.',
      }),
      reconnectGiveUpMax: option({
        type: duration({ min: '100ms', max: '24h' }),
        default: '24h',
        why: 'An application that wants to wait for its daemon may.',
        text: 'Longest such time that a client may ask for; the shortest is 100ms.',
      }),
      reconnectNameWait: option({
        type: duration({ min: '0s', max: '1h' }),
        default: '10s',
        why: 'A daemon needs some seconds to notice that the session before is dead.',
        text: 'How long a mailbox that reconnects tries to get its private name while another session holds it; then it ends, or takes another name if its client allows that.',
      }),
      reconnectBackoffMin: option({
        type: duration({ min: '10ms', max: '1m' }),
        default: '100ms',
        why: 'A daemon that only restarts is found again at once.',
        text: 'Pause before the first attempt of a mailbox to reconnect; it doubles, with jitter, up to mailbox.reconnectBackoffMax.',
      }),
      reconnectBackoffMax: option({
        type: duration({ min: '10ms', max: '10m' }),
        default: '1s',
        why: 'A mailbox is there again within two seconds after its daemon is back.',
        text: 'Longest pause between two attempts of a mailbox to reconnect.',
      }),
      maxMailboxes: option({
        type: autoCount('1', '100000'),
        default: 'auto',
        why: 'From memory.limit, at most 1000: a Spread daemon takes 997 sessions.',
        text: 'Most mailboxes at once; one more is answered with RESOURCE_EXHAUSTED, reason TOO_MANY_MAILBOXES.',
      }),
      totalQueueMaxBytes: option({
        type: autoSize('256KiB', '1024GiB'),
        default: 'auto',
        why: 'The largest share of memory.limit, at most 1GiB.',
        text: 'Most bytes that the queues of all mailboxes may hold together: events that wait, replay windows, unacknowledged ones, and copies on their way to clients. Each event counts with 16 bytes more, for the index that finds it.',
      }),
      totalSendQueueMaxBytes: option({
        type: autoSize('256KiB', '1024GiB'),
        default: 'auto',
        why: 'A share of memory.limit, at most 256MiB.',
        text: 'Most bytes of all mailboxes together that may wait to be taken by daemons; more is answered with RESOURCE_EXHAUSTED, reason SEND_QUEUE_FULL. One mailbox may hold as much as is still free.',
      }),
      sendQueueMaxBytes: option({
        type: byteSize({ min: '256KiB', max: '1GiB' }),
        default: '4MiB',
        why: 'Keeps the connection to the daemon busy; more would only add delay.',
        text: 'Most bytes of a mailbox that may wait to be taken by the daemon; more is answered with RESOURCE_EXHAUSTED, reason SEND_QUEUE_FULL.',
      }),
      maxGroups: option({
        type: integer({ min: '1', max: '100000' }),
        default: '1000',
        why: 'Every group costs memory here and at every daemon.',
        text: 'Most groups that a mailbox may be in; one more is answered with RESOURCE_EXHAUSTED, reason TOO_MANY_GROUPS.',
      }),
    },
  },
  receive: {
    title: 'Receive streams',
    text: 'How events are put on a stream.',
    options: {
      batchMaxBytes: option({
        type: byteSize({ min: '4KiB', max: '3MiB' }),
        default: '256KiB',
        why: "Large enough to be cheap, small enough to flow; the maximum stays below a client's usual 4 MiB bound.",
        text: 'Most bytes of events in one batch. A batch never waits to be filled; one larger event makes a batch of its own.',
      }),
      heartbeatMin: option({
        type: duration({ min: '100ms', max: '1h' }),
        default: '100ms',
        why: 'Bounds what an idle stream can be made to cost.',
        text: 'Shortest heartbeat interval that a client may ask for; the longest is 1h.',
      }),
      heartbeatDefault: option({
        type: wordOr(['off'], duration({ min: '100ms', max: '1h' })),
        default: 'off',
        why: 'Whoever wants heartbeats asks for them.',
        text: 'Heartbeat interval of streams whose client asks for none.',
      }),
    },
  },
  memory: {
    title: 'Memory',
    text: 'One number for the memory of the whole process. Every option with the default `auto` follows from it; the log line `memory` at the start has the values. [limits.md](limits.md#memory) has the shares and what was measured.',
    options: {
      limit: option({
        type: autoSize('64MiB', '1024GiB'),
        default: 'auto',
        why: 'Four fifths of the memory limit of the container. Without one, half of the memory of the machine, at most 4GiB.',
        text: 'Resident memory that the process plans to stay below. It bounds what clients and daemons can make the sidecar hold: queues, buffers, calls, connections and mailboxes.',
      }),
    },
  },
  limits: {
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
  },
  drain: {
    title: 'Shutdown',
    text: 'What happens at SIGTERM and SIGINT.',
    options: {
      delay: option({
        type: duration({ min: '0s', max: '1h' }),
        default: '0s',
        why: 'A native sidecar of Kubernetes is told to stop only after the application.',
        text: 'How long the sidecar goes on to serve before it drains, for pods whose containers are all told to stop at once. Over early, when there has been no mailbox and no client connection for a second.',
        flag: 'shutdown-delay',
      }),
      grace: option({
        type: duration({ min: '0s', max: '1h' }),
        default: '10s',
        why: 'Well inside the 30 s that Kubernetes gives a pod.',
        text: 'How long Receive streams get what is queued before they are ended with reason DRAINING.',
      }),
    },
  },
  log: {
    title: 'Log',
    text: 'The log goes to standard error, a line an entry. It never holds secrets or mailbox ids.',
    options: {
      level: option({
        type: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
        default: 'info',
        why: 'Starts, stops, daemon up and down, slow receivers; nothing for each message.',
        text: 'The least severe entries that are written.',
      }),
      format: option({
        type: oneOf('auto', 'json', 'pretty'),
        default: 'auto',
        why: 'People read a terminal, programs read the rest.',
        text: 'auto: pretty on a terminal, json otherwise.',
      }),
    },
  },
} satisfies Readonly<Record<string, Section>>;

type Sections = typeof sections;

/**
 * The configuration: `config.<section>.<option>` of the table. Durations are milliseconds, sizes are bytes, file modes are
 * numbers, addresses are parsed.
 */
export type SidecarConfig = {
  readonly [S in keyof Sections]: {
    readonly [K in keyof Sections[S]['options']]: Sections[S]['options'][K] extends Option<infer T>
      ? T
      : never;
  };
};

/** `grpc.listen`, `mailbox.leaseMax`, … */
export type OptionKey = {
  [S in keyof Sections]: `${S}.${keyof Sections[S]['options'] & string}`;
}[keyof Sections];
