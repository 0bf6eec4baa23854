import { spreadName } from '../values/addresses.js';
import { duration, integer } from '../values/numbers.js';
import { listOf, oneOf } from '../values/words.js';
import { option, type Section } from './section.js';

export const daemon = {
  title: 'Spread daemon',
  text: 'The daemons that mailboxes connect to. A Spread name is the address of a daemon, in the form that all Spread clients use. `4803` is the Unix socket /tmp/4803, `4803@host` is TCP, and `/path` is a Unix socket.',
  options: {
    addresses: option({
      type: listOf(spreadName, { min: 1, max: 16 }),
      default: '4803',
      why: "Spread's own default: the daemon on this machine, over its Unix socket.",
      text: 'Spread name of the default daemon, or a list of Spread names. If the sidecar cannot reach a daemon, it tries the next daemon in the list. Do not set this option together with embedded.enabled.',
    }),
    allow: option({
      type: listOf(spreadName, { min: 0, max: 256 }),
      default: '',
      why: 'The sidecar must not act as an open proxy.',
      text: 'Daemons that a client may name in Connect, in addition to daemon.addresses. Other names get PERMISSION_DENIED, reason DAEMON_NOT_ALLOWED. A client may name the embedded daemon by any of its listen addresses, or by port@localhost.',
    }),
    connectTimeout: option({
      type: duration({ min: '100ms', max: '2m' }),
      default: '10s',
      why: 'While the ring changes, a daemon accepts no new session for some seconds.',
      text: 'Longest time to connect to one daemon, including the handshake.',
    }),
    auth: option({
      type: oneOf('null', 'ip'),
      default: 'null',
      why: "Spread's own default.",
      text: "Method by which the sidecar authenticates to daemons: for its own session, and for mailboxes whose clients name no method. With ip, the daemon checks the sidecar's IP address (spread.access_ip). This method works only over TCP with IPv4.",
    }),
    maxGroupsPerMessage: option({
      type: integer({ min: '1', max: '100' }),
      default: '43',
      why: 'Spread 5.0.1 loses messages to more than 43 groups. Raise this limit only if your daemons deliver such messages.',
      text: 'Largest number of groups of one message. A message to more groups gets INVALID_ARGUMENT, reason ILLEGAL_GROUP.',
    }),
    monitorBackoffMin: option({
      type: duration({ min: '10ms', max: '1m' }),
      default: '100ms',
      why: 'The sidecar soon notices a restarted daemon.',
      text: "Delay before the first attempt to reconnect the sidecar's own session, which monitors the default daemon. The delay doubles after each failed attempt, with jitter, up to daemon.monitorBackoffMax.",
    }),
    monitorBackoffMax: option({
      type: duration({ min: '10ms', max: '10m' }),
      default: '1s',
      why: 'The sidecar is ready within two seconds after its daemon runs again. One attempt per second costs almost nothing.',
      text: "Longest delay between two attempts to reconnect the sidecar's own session.",
    }),
  },
} satisfies Section;
