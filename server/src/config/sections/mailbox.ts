import { byteSize, duration, fraction, integer } from '../values/numbers.js';
import { oneOf, orEmpty, text, wordOr } from '../values/words.js';
import { autoCount, autoSize, option, type Section } from './section.js';

export const mailbox = {
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
} satisfies Section;
