import { byteSize, duration } from '../values/numbers.js';
import { wordOr } from '../values/words.js';
import { option, type Section } from './section.js';

export const receive = {
  title: 'Receive streams',
  text: 'Batches and heartbeats of Receive streams.',
  options: {
    batchMaxBytes: option({
      type: byteSize({ min: '4KiB', max: '3MiB' }),
      default: '256KiB',
      why: 'Large enough to be efficient, and small enough for smooth delivery. The largest allowed value, 3MiB, is below the limit of 4 MiB that most clients have.',
      text: 'Largest size of the events in one batch. The sidecar never delays a batch to fill it. An event above this size gets its own batch.',
    }),
    heartbeatMin: option({
      type: duration({ min: '100ms', max: '1h' }),
      default: '100ms',
      why: 'Limits the cost of an idle stream.',
      text: 'Shortest heartbeat interval that a client may ask for; the longest is 1h.',
    }),
    heartbeatDefault: option({
      type: wordOr(['off'], duration({ min: '100ms', max: '1h' })),
      default: 'off',
      why: 'Heartbeats are opt-in.',
      text: 'Heartbeat interval of a stream if its client asks for none.',
    }),
  },
} satisfies Section;
