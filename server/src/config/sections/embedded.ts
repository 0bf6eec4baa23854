import { socketPath, tcpAddress } from '../values/addresses.js';
import { integer } from '../values/numbers.js';
import { boolean, text, wordOr } from '../values/words.js';
import { autoSize, option, type Section } from './section.js';

export const embedded = {
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
} satisfies Section;
