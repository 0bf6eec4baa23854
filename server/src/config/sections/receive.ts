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
      why: 'Large enough to be efficient, and small enough for smooth delivery. The maximum stays below the 4 MiB limit that clients commonly have.',
      text: 'Largest size of the events in one batch. A batch never waits for more events. A larger event gets a batch of its own.',
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
      text: 'Heartbeat interval of streams whose clients ask for none.',
    }),
  },
} satisfies Section;
