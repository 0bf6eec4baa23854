import { socketPath, tcpAddress } from '../values/addresses.js';
import { integer } from '../values/numbers.js';
import { boolean, text, wordOr } from '../values/words.js';
import { autoSize, option, type Section } from './section.js';

export const embedded = {
  title: 'Embedded daemon',
  text: 'A single-node Spread daemon inside the sidecar, for development and tests. The other options of this section apply only if embedded.enabled is true.',
  options: {
    enabled: option({
      type: boolean,
      default: 'false',
      why: 'The embedded daemon never forms a cluster, so it is opt-in.',
      text: 'Run the embedded daemon and use it as the default daemon.',
      flag: 'embedded-daemon',
    }),
    name: option({
      type: text({
        expects: 'a daemon name of 1 to 19 characters from 0x24 `$` to 0x7e `~`',
        placeholder: 'name',
        pattern: /^[$-~]{1,19}$/,
      }),
      default: 'localhost',
      why: "The name in Spread's sample configuration.",
      text: 'Name of the daemon. It is the second part of private groups, such as #alice#localhost.',
    }),
    listen: option({
      type: wordOr(['off'], tcpAddress),
      default: '127.0.0.1:4803',
      why: "Spread's port. Only this machine can connect, because the embedded daemon does not authenticate Spread clients.",
      text: 'TCP address on which the daemon accepts Spread clients. With off, the daemon accepts no clients over TCP.',
    }),
    socket: option({
      type: wordOr(['auto', 'off'], socketPath),
      default: 'auto',
      why: "Spread's own clients use /tmp/<port>.",
      text: 'Unix socket of the daemon. With auto, its path is /tmp/<port of embedded.listen>. With off, the daemon has no Unix socket.',
    }),
    maxSessions: option({
      type: integer({ min: '1', max: '100000' }),
      default: '997',
      why: "Spread's own limit.",
      text: "Largest number of clients at the same time. Mailboxes and the sidecar's own session count too. A further client gets REJECT_QUOTA.",
    }),
    maxSessionMessages: option({
      type: integer({ min: '1', max: '1000000' }),
      default: '1000',
      why: "Spread's own limit.",
      text: 'Largest number of unread messages of one client (MaxSessionMessages in spread.conf). The daemon disconnects a client that has more unread messages.',
    }),
    maxQueueBytes: option({
      type: autoSize('256KiB', '1024GiB'),
      default: 'auto',
      why: 'The sidecar divides memory.limit among all limits with auto.',
      text: 'Largest size of all messages that clients have not read yet. The daemon adds 256 bytes for each message, and counts a message for several clients only once. Above this size, the daemon disconnects the client with the most queued bytes. With auto, memory.limit determines the size, at most 256MiB.',
    }),
  },
} satisfies Section;
