import { encodeEnvelope, openEnvelope, payloadStart } from '../../../server/src/envelope/envelope.js';
import { payloadWithHeaders } from '../../../server/src/grpc/codec/message-headers.js';
import { headerVectors } from '../../unit/envelope/vectors.js';
import { type Target, Violation } from '../engine/target.js';

/** Received payloads → headers and payload. */
export const envelopes: Target = {
  name: 'envelopes',
  text: 'envelopes of message headers: every payload is opened or stays unchanged, and arrives as it was sent',
  kind: 'pure',
  chunk: 5000,
  lanes: 1,
  open: () => ({
    material: {
      seeds: [...headerVectors.sent, ...headerVectors.received].map(({ wire }) => [Buffer.from(wire, 'hex')]),
      words: [Buffer.from('89535053480d0a', 'hex'), Buffer.from('content-type'), Buffer.from([0, 1])],
      maxPieces: 4,
      maxPieceBytes: 10_000,
    },
    run: (input) => {
      const bytes = Buffer.concat(input);
      const sent = openEnvelope(payloadWithHeaders(new Map(), bytes, 'on'));
      if (!sent.payload.equals(bytes) || sent.headers.size > 0)
        throw new Violation('the payload does not arrive as it was sent');
      const got = openEnvelope(bytes);
      if (payloadStart(bytes) === 0) {
        if (got.payload !== bytes || got.headers.size > 0) throw new Violation('a payload was changed');
        return 'payload';
      }
      const again = openEnvelope(encodeEnvelope(got.headers, got.payload));
      const isSame = [...got.headers].every(([name, value]) => again.headers.get(name) === value);
      if (!isSame || again.headers.size !== got.headers.size || !again.payload.equals(got.payload))
        throw new Violation('an opened message does not arrive as it was opened');
      return got.headers.size === 0 ? 'envelope' : 'headers';
    },
  }),
};
