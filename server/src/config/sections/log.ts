import { oneOf } from '../values/words.js';
import { option, type Section } from './section.js';

export const log = {
  title: 'Log',
  text: 'The log goes to standard error, a line an entry. It never holds secrets or mailbox ids.',
  options: {
    level: option({
      type: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
      default: 'info',
      why: 'Starts, stops, daemon up and down, slow receivers; nothing for each message.',
      text: 'The least severe entries that are written.',
    }),
    format: option({
      type: oneOf('auto', 'json', 'pretty'),
      default: 'auto',
      why: 'People read a terminal, programs read the rest.',
      text: 'auto: pretty on a terminal, json otherwise.',
    }),
  },
} satisfies Section;
