import { oneOf } from '../values/words.js';
import { option, type Section } from './section.js';

export const log = {
  title: 'Log',
  text: 'The sidecar writes the log to standard error, with one line for each entry. The log never contains secrets or mailbox IDs.',
  options: {
    level: option({
      type: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
      default: 'info',
      why: 'The log then shows start, stop, changes of the daemon and slow consumers, but no line for each message.',
      text: 'Lowest severity that the log shows.',
    }),
    format: option({
      type: oneOf('auto', 'json', 'pretty'),
      default: 'auto',
      why: 'People read the log on a terminal. Elsewhere, programs read it.',
      text: 'Format of the log. With auto, the format is pretty on a terminal, otherwise json.',
    }),
  },
} satisfies Section;
