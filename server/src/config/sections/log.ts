import { oneOf } from '../values/words.js';
import { option, type Section } from './section.js';

export const log = {
  title: 'Log',
  text: 'The log goes to standard error, one line for each entry. It never contains secrets or mailbox IDs.',
  options: {
    level: option({
      type: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
      default: 'info',
      why: 'Start, stop, daemon up and down, slow consumers; nothing for each message.',
      text: 'Lowest severity of the lines in the log.',
    }),
    format: option({
      type: oneOf('auto', 'json', 'pretty'),
      default: 'auto',
      why: 'People read a terminal; programs read everything else.',
      text: 'auto: pretty on a terminal, json otherwise.',
    }),
  },
} satisfies Section;
