import { byteSize, duration } from '../values/numbers.js';
import { wordOr } from '../values/words.js';
import { option, type Section } from './section.js';

export const receive = {
  title: 'Receive streams',
  text: 'How events are put on a stream.',
  options: {
    batchMaxBytes: option({
      type: byteSize({ min: '4KiB', max: '3MiB' }),
      default: '256KiB',
      why: "Large enough to be cheap, small enough to flow; the maximum stays below a client's usual 4 MiB bound.",
      text: 'Most bytes of events in one batch. A batch never waits to be filled; one larger event makes a batch of its own.',
    }),
    heartbeatMin: option({
      type: duration({ min: '100ms', max: '1h' }),
      default: '100ms',
      why: 'Bounds what an idle stream can be made to cost.',
      text: 'Shortest heartbeat interval that a client may ask for; the longest is 1h.',
    }),
    heartbeatDefault: option({
      type: wordOr(['off'], duration({ min: '100ms', max: '1h' })),
      default: 'off',
      why: 'Whoever wants heartbeats asks for them.',
      text: 'Heartbeat interval of streams whose client asks for none.',
    }),
  },
} satisfies Section;
