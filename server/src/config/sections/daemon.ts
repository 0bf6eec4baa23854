import { spreadName } from '../values/addresses.js';
import { duration, integer } from '../values/numbers.js';
import { listOf, oneOf } from '../values/words.js';
import { option, type Section } from './section.js';

export const daemon = {
  title: 'Spread daemon',
  text: 'The daemons that mailboxes connect to. A Spread name has the same form as in other Spread clients. `4803` is the Unix socket /tmp/4803, `4803@host` is TCP, and `/path` is a Unix socket.',
  options: {
    addresses: option({
      type: listOf(spreadName, { min: 1, max: 16 }),
      default: '4803',
      why: "Spread's own default: the daemon on this machine, over its Unix socket.",
      text: 'The default daemon. With several names, the sidecar tries the next one when it cannot reach a daemon. Do not set it together with embedded.enabled.',
    }),
    allow: option({
      type: listOf(spreadName, { min: 0, max: 256 }),
      default: '',
      why: 'The sidecar must not act as an open proxy.',
      text: 'Further daemons that a client may name in Connect. Other names get PERMISSION_DENIED. A client may name the embedded daemon by each address that it listens on, and by port@localhost.',
    }),
    connectTimeout: option({
      type: duration({ min: '100ms', max: '2m' }),
      default: '10s',
      why: 'A daemon whose membership changes accepts no new session for some seconds.',
      text: 'Longest time to connect to one daemon, including the handshake.',
    }),
    auth: option({
      type: oneOf('null', 'ip'),
      default: 'null',
      why: "Spread's own default.",
      text: 'Authentication method of the sidecar at daemons, for its own session and for clients that name no method. With ip, the daemon checks the address of the sidecar (spread.access_ip), over TCP and IPv4 only.',
    }),
    maxGroupsPerMessage: option({
      type: integer({ min: '1', max: '100' }),
      default: '43',
      why: 'Spread 5.0.1 loses messages to more groups. Raise it only for daemons that are known to deliver them.',
      text: 'Largest number of groups of one message. A message to more groups gets INVALID_ARGUMENT, reason ILLEGAL_GROUP.',
    }),
    monitorBackoffMin: option({
      type: duration({ min: '10ms', max: '1m' }),
      default: '100ms',
      why: 'The sidecar finds a restarted daemon at once.',
      text: "Delay before the first reconnect of the sidecar's own session, which monitors the default daemon. The delay doubles, with jitter, up to daemon.monitorBackoffMax.",
    }),
    monitorBackoffMax: option({
      type: duration({ min: '10ms', max: '10m' }),
      default: '1s',
      why: 'The sidecar is ready within two seconds after its daemon is back. One attempt for each second costs almost nothing.',
      text: "Longest delay between two reconnects of the sidecar's own session.",
    }),
  },
} satisfies Section;
