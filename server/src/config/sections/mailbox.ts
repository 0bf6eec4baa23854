import { byteSize, duration, fraction, integer } from '../values/numbers.js';
import { oneOf, orEmpty, text, wordOr } from '../values/words.js';
import { autoCount, autoSize, option, type Section } from './section.js';

export const mailbox = {
  title: 'Mailboxes',
  text: 'Lifetime and limits of mailboxes. A client that asks for more than a limit gets INVALID_ARGUMENT, reason LIMIT_OUT_OF_RANGE. A client that sets no value gets the limit itself, and for the lease the default.',
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
      why: 'The daemon chooses the name of a mailbox whose client asks for none.',
      text: 'Seed of the private names of mailboxes whose clients ask for none. Such a name has seven characters of the SHA-256 of the seed, then a number. Use a text that is unique to this sidecar, such as the UID of its pod. The log and the metric spread_sidecar_private_name_info show the seed of a name.',
    }),
    leaseDefault: option({
      type: duration({ min: '100ms', max: '24h' }),
      default: '30s',
      why: 'Longer than a client needs to open a new stream, and short enough that other members soon notice a dead application.',
      text: 'Lease of mailboxes whose clients ask for none: how long a mailbox lives without a Receive and without a call.',
    }),
    leaseMin: option({
      type: duration({ min: '100ms', max: '24h' }),
      default: '1s',
      why: 'A shorter lease would end mailboxes at an ordinary pause of a garbage collector.',
      text: 'Shortest lease that a client may ask for.',
    }),
    leaseMax: option({
      type: duration({ min: '100ms', max: '24h' }),
      default: '1h',
      why: 'An abandoned mailbox holds memory and a session of the daemon.',
      text: 'Longest lease that a client may ask for.',
    }),
    queueMaxEvents: option({
      type: integer({ min: '1', max: '100000000' }),
      default: '1000000',
      why: 'Limits the cost of many tiny events in addition to their bytes.',
      text: 'Largest number of queued events of a mailbox.',
    }),
    queueMaxBytes: option({
      type: autoSize('256KiB', '16GiB'),
      default: 'auto',
      why: "mailbox.totalQueueMaxBytes, at most 64MiB. An application's pause of seconds costs nothing. The minimum holds the largest Spread message.",
      text: 'Largest size of the encoded events that a mailbox queues.',
    }),
    replayWindow: option({
      type: autoSize('0', '1GiB'),
      default: 'auto',
      why: 'A sixteenth of mailbox.totalQueueMaxBytes, from 256KiB to 4MiB. That is more than a transport holds in flight, so a broken stream resumes without loss.',
      text: 'Acknowledgement AUTO: largest size of the delivered events that a mailbox retains for a stream that resumes.',
    }),
    overflow: option({
      type: oneOf('pause', 'disconnect'),
      default: 'pause',
      why: 'As for a native client: the daemon enforces its own limit.',
      text: 'Policy for a full queue. pause: stop reading from the daemon, which disconnects the mailbox at its own limit. disconnect: end the mailbox with QUEUE_OVERFLOW. The sidecar never drops events from the middle of a queue.',
    }),
    slowNotice: option({
      type: fraction({ min: '0.1', max: '1' }),
      default: '0.8',
      why: 'The application still has time to react.',
      text: 'Fraction of a queue limit at which the receiver gets a slow-consumer notice, and metrics and log name the mailbox.',
    }),
    softLimit: option({
      type: fraction({ min: '0.01', max: '1' }),
      default: '0.5',
      why: 'A receiver whose queue stays half full for long does not catch up. The other half has room for events in the remaining time.',
      text: 'Soft limit: fraction of a queue limit above which a queue may stay only for mailbox.softLimitTime. Clients may ask for a smaller fraction.',
    }),
    softLimitTime: option({
      type: wordOr(['off'], duration({ min: '100ms', max: '24h' })),
      default: 'off',
      why: 'A pause of the application costs nothing while there is memory. Set it where clients share little memory.',
      text: 'Longest time that a queue may stay above mailbox.softLimit without a break. When the time starts, the receiver gets a notice. When it is over, the mailbox ends with SLOW_CONSUMER. Clients may ask for a shorter time. With off, they may ask for any soft limit or none.',
    }),
    reconnectGiveUpDefault: option({
      type: duration({ min: '100ms', max: '24h' }),
      default: '1m',
      why: 'Long enough to restart or replace a daemon.',
      text: 'Time from the loss of its daemon connection until a reconnecting mailbox gives up. Applies if the client sets no time.',
    }),
    reconnectGiveUpMax: option({
      type: duration({ min: '100ms', max: '24h' }),
      default: '24h',
      why: 'An application may choose to wait for its daemon.',
      text: 'Longest time to reconnect that a client may ask for. After it, the mailbox gives up. The shortest is 100ms.',
    }),
    reconnectNameWait: option({
      type: duration({ min: '0s', max: '1h' }),
      default: '10s',
      why: 'A daemon needs some seconds to notice that the earlier session is dead.',
      text: 'Longest time that a reconnecting mailbox tries to get its private name while another session holds it. Then it ends, or takes another name if its client allows that.',
    }),
    reconnectBackoffMin: option({
      type: duration({ min: '10ms', max: '1m' }),
      default: '100ms',
      why: 'The sidecar finds a restarted daemon at once.',
      text: 'Delay before the first reconnect of a mailbox. The delay doubles, with jitter, up to mailbox.reconnectBackoffMax.',
    }),
    reconnectBackoffMax: option({
      type: duration({ min: '10ms', max: '10m' }),
      default: '1s',
      why: 'A mailbox is connected again within two seconds after its daemon is back.',
      text: 'Longest delay between two reconnects of a mailbox.',
    }),
    maxMailboxes: option({
      type: autoCount('1', '100000'),
      default: 'auto',
      why: 'Follows from memory.limit, at most 1000: a Spread daemon accepts 997 sessions.',
      text: 'Largest number of mailboxes at the same time. A further Connect gets RESOURCE_EXHAUSTED, reason TOO_MANY_MAILBOXES.',
    }),
    totalQueueMaxBytes: option({
      type: autoSize('256KiB', '1024GiB'),
      default: 'auto',
      why: 'The largest share of memory.limit, at most 1GiB.',
      text: 'Largest size of the queues of all mailboxes together: queued, retained and unacknowledged events, and copies in transit to clients. Each event adds 16 bytes for its index.',
    }),
    totalSendQueueMaxBytes: option({
      type: autoSize('256KiB', '1024GiB'),
      default: 'auto',
      why: 'A share of memory.limit, at most 256MiB.',
      text: 'Largest size of the send queues of all mailboxes together. A further message gets RESOURCE_EXHAUSTED, reason SEND_QUEUE_FULL. One mailbox may use all of the free space.',
    }),
    sendQueueMaxBytes: option({
      type: byteSize({ min: '256KiB', max: '1GiB' }),
      default: '4MiB',
      why: 'Keeps the connection to the daemon busy. More would only add delay.',
      text: 'Largest size of the send queue of one mailbox. A further message gets RESOURCE_EXHAUSTED, reason SEND_QUEUE_FULL.',
    }),
    headers: option({
      type: oneOf('on', 'off'),
      default: 'on',
      why: 'Only messages with headers get an envelope, which native Spread programs can read.',
      text: 'Headers of messages. on: a message with headers travels in an envelope before its payload. off: payloads pass unchanged in both directions. A message with headers then gets INVALID_ARGUMENT, reason HEADERS_OFF.',
    }),
    maxGroups: option({
      type: integer({ min: '1', max: '100000' }),
      default: '1000',
      why: 'Every group costs memory here and at every daemon.',
      text: 'Largest number of groups that a mailbox may be in. A further Join gets RESOURCE_EXHAUSTED, reason TOO_MANY_GROUPS.',
    }),
  },
} satisfies Section;
