import { byteSize, duration, fraction, integer } from '../values/numbers.js';
import { oneOf, orEmpty, text, wordOr } from '../values/words.js';
import { autoCount, autoSize, option, type Section } from './section.js';

export const mailbox = {
  title: 'Mailboxes',
  text: 'Lifetime and limits of mailboxes. If a client asks for more than a limit, Connect fails with INVALID_ARGUMENT, reason LIMIT_OUT_OF_RANGE. If a client sets no value, its mailbox gets the limit itself, or the value of an option such as mailbox.leaseDefault.',
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
      why: 'Without a seed, the daemon generates these names.',
      text: 'Seed of generated private names. The sidecar generates a private name if a client asks for none. The name consists of seven characters and a number. The characters come from the SHA-256 of the seed. Use a text that is unique to this sidecar, such as the UID of its pod. The log and the metric spread_sidecar_private_name_info show the seed with the start of the names.',
    }),
    leaseDefault: option({
      type: duration({ min: '100ms', max: '24h' }),
      default: '30s',
      why: 'Longer than a client needs to open a new stream, and short enough that other members soon notice a dead application.',
      text: 'Lease of a mailbox if its client asks for none. The lease is the time that a mailbox lives without a Receive stream and without calls.',
    }),
    leaseMin: option({
      type: duration({ min: '100ms', max: '24h' }),
      default: '1s',
      why: 'A shorter lease could expire while a client only pauses for garbage collection.',
      text: 'Shortest lease that a client may ask for.',
    }),
    leaseMax: option({
      type: duration({ min: '100ms', max: '24h' }),
      default: '1h',
      why: 'Until its lease expires, an abandoned mailbox uses memory and a session of the daemon.',
      text: 'Longest lease that a client may ask for.',
    }),
    queueMaxEvents: option({
      type: integer({ min: '1', max: '100000000' }),
      default: '1000000',
      why: 'Limits the memory that many tiny events need in addition to their bytes.',
      text: 'Largest number of events in the queue of one mailbox. With acknowledgement EXPLICIT, unacknowledged events count too.',
    }),
    queueMaxBytes: option({
      type: autoSize('256KiB', '16GiB'),
      default: 'auto',
      why: 'An application can pause for seconds without harm. The smallest allowed value, 256KiB, has room for the largest Spread message.',
      text: 'Largest size of the encoded events in the queue of one mailbox. With acknowledgement EXPLICIT, unacknowledged events count too. With auto, the size is mailbox.totalQueueMaxBytes, at most 64MiB.',
    }),
    replayWindow: option({
      type: autoSize('0', '1GiB'),
      default: 'auto',
      why: 'A transport holds fewer bytes in transit, so a new stream can resume without loss.',
      text: 'With acknowledgement AUTO: largest size of the delivered events that a mailbox retains, so that a new stream can resume. With auto, the size is a sixteenth of mailbox.totalQueueMaxBytes, at least 256KiB and at most 4MiB.',
    }),
    overflow: option({
      type: oneOf('pause', 'disconnect'),
      default: 'pause',
      why: "The daemon's own limit then applies, as for a native client.",
      text: "Policy for a full queue. Applies if the client sets no policy. With pause, the sidecar stops reading from the daemon. The daemon disconnects the mailbox when its unread messages reach the daemon's limit (MaxSessionMessages). With disconnect, the sidecar ends the mailbox with QUEUE_OVERFLOW. The sidecar never discards single events from a queue, so sequences have no gaps.",
    }),
    slowNotice: option({
      type: fraction({ min: '0.1', max: '1' }),
      default: '0.8',
      why: 'The application still has time to react before the queue is full.',
      text: 'Fraction of a queue limit above which the receiver gets a slow-consumer notice. Metrics and the log then name the mailbox.',
    }),
    softLimit: option({
      type: fraction({ min: '0.01', max: '1' }),
      default: '0.5',
      why: 'A receiver whose queue stays half full for long does not catch up. The other half of the queue has room for the events that arrive during mailbox.softLimitTime.',
      text: 'Soft limit, as a fraction of a queue limit. A queue may stay above its soft limit for at most mailbox.softLimitTime. Clients may ask for a smaller fraction.',
    }),
    softLimitTime: option({
      type: wordOr(['off'], duration({ min: '100ms', max: '24h' })),
      default: 'off',
      why: 'A pause of the application does no harm while the queue has room. Set a time if many clients share little memory.',
      text: 'Longest time that a queue may stay above mailbox.softLimit without interruption. When this time starts, the receiver gets a notice. When this time ends, the mailbox ends with SLOW_CONSUMER. Clients may ask for a shorter time. With off, clients may ask for any soft limit or for none.',
    }),
    reconnectGiveUpDefault: option({
      type: duration({ min: '100ms', max: '24h' }),
      default: '1m',
      why: 'Long enough to restart or replace a daemon.',
      text: 'Time after the loss of the daemon connection until a reconnecting mailbox gives up. Applies if the client sets no time.',
    }),
    reconnectGiveUpMax: option({
      type: duration({ min: '100ms', max: '24h' }),
      default: '24h',
      why: 'An application may want to wait long for its daemon.',
      text: 'Longest time that a client may ask for instead of mailbox.reconnectGiveUpDefault. The shortest is 100ms.',
    }),
    reconnectNameWait: option({
      type: duration({ min: '0s', max: '1h' }),
      default: '10s',
      why: 'A daemon needs some seconds to notice that the earlier session is dead.',
      text: 'Longest time that a reconnecting mailbox waits for its private name while another session uses the name. After this time, the mailbox ends, or takes another name if its client allows that.',
    }),
    reconnectBackoffMin: option({
      type: duration({ min: '10ms', max: '1m' }),
      default: '100ms',
      why: 'A mailbox reconnects soon after its daemon restarts.',
      text: 'Delay before the first attempt of a mailbox to reconnect. The delay doubles after each failed attempt, with jitter, up to mailbox.reconnectBackoffMax.',
    }),
    reconnectBackoffMax: option({
      type: duration({ min: '10ms', max: '10m' }),
      default: '1s',
      why: 'A mailbox reconnects within two seconds after its daemon runs again.',
      text: 'Longest delay between two attempts of a mailbox to reconnect.',
    }),
    maxMailboxes: option({
      type: autoCount('1', '100000'),
      default: 'auto',
      why: 'A Spread daemon accepts 997 sessions.',
      text: 'Largest number of mailboxes at the same time. A further Connect gets RESOURCE_EXHAUSTED, reason TOO_MANY_MAILBOXES. With auto, memory.limit and the limit of open files determine the number, at most 1000.',
    }),
    totalQueueMaxBytes: option({
      type: autoSize('256KiB', '1024GiB'),
      default: 'auto',
      why: 'The queues of events need most of the memory, so this limit has the largest share of memory.limit.',
      text: "Largest size of the retained events of all mailboxes together, including copies in transit to clients. Each event adds 16 bytes for its index. If a mailbox's queue is larger than the space that is still free, the queue counts as full, and the overflow policy applies. While no space is free, Connect gets RESOURCE_EXHAUSTED, reason TOTAL_QUEUE_FULL. With auto, memory.limit determines the size, at most 1GiB.",
    }),
    totalSendQueueMaxBytes: option({
      type: autoSize('256KiB', '1024GiB'),
      default: 'auto',
      why: 'The sidecar divides memory.limit among all limits with auto.',
      text: 'Largest size of the send queues of all mailboxes together. The send queue of one mailbox may not be larger than the space that is still free. A message that needs more gets RESOURCE_EXHAUSTED, reason SEND_QUEUE_FULL. With auto, memory.limit determines the size, at most 256MiB.',
    }),
    sendQueueMaxBytes: option({
      type: byteSize({ min: '256KiB', max: '1GiB' }),
      default: '4MiB',
      why: 'Enough to keep the connection to the daemon busy. A larger queue would only add delay.',
      text: 'Largest size of the send queue of one mailbox. A further message gets RESOURCE_EXHAUSTED, reason SEND_QUEUE_FULL.',
    }),
    headers: option({
      type: oneOf('on', 'off'),
      default: 'on',
      why: 'Only messages with headers get an envelope. Native Spread programs can decode the envelope.',
      text: 'Headers of messages. With on, the sidecar sends the headers of a message in an envelope before the payload. With off, payloads pass unchanged in both directions, and a message with headers gets INVALID_ARGUMENT, reason HEADERS_OFF.',
    }),
    maxGroups: option({
      type: integer({ min: '1', max: '100000' }),
      default: '1000',
      why: 'Every group needs memory in the sidecar and in every daemon.',
      text: 'Largest number of groups that a mailbox may be in. A further Join gets RESOURCE_EXHAUSTED, reason TOO_MANY_GROUPS.',
    }),
  },
} satisfies Section;
