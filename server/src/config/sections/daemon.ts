import { spreadName } from '../values/addresses.js';
import { duration, integer } from '../values/numbers.js';
import { listOf, oneOf } from '../values/words.js';
import { option, type Section } from './section.js';

export const daemon = {
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
} satisfies Section;
