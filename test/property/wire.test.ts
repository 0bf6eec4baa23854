import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AcceptReader,
  AuthChoiceReader,
  AuthListReader,
  ConnectRequestReader,
  decodeHeader,
  encodeAccept,
  encodeAuthChoice,
  encodeAuthList,
  encodeConnectRequest,
  encodeHeader,
  encodeMulticast,
  encodeSelfLeave,
  encodeTransition,
  encodeView,
  type IncrementalReader,
  parsePrivateGroup,
} from '../../server/src/spread/wire/index.js';
import { decodeStream } from '../support/wire/decode-stream.js';
import { buildFrame } from '../support/wire/frame-builder.js';
import { fingerprint } from '../support/wire/message-expectation.js';
import { bytesOf, clientRecordings, loadTranscript, transcriptNames } from '../support/wire/transcripts.js';
import {
  anyName,
  bigEndian,
  cuts,
  daemonStream,
  groupId,
  legalName,
  messageType,
  multicast,
  privateGroup,
  view,
} from './wire-values.js';

describe('encode and decode are inverse', () => {
  it('for messages', () => {
    fc.assert(
      fc.property(multicast, (fields) => {
        const { messages, left } = decodeStream(Buffer.concat(encodeMulticast(fields)));
        expect(left).toBe(0);
        const [message] = messages;
        expect(message).toMatchObject({
          kind: 'regular',
          sender: fields.privateGroup,
          groups: fields.groups,
          serviceType: fields.serviceType,
          selfDiscard: fields.selfDiscard,
          messageType: fields.messageType,
          endianMismatch: false,
        });
        expect(message?.kind === 'regular' && message.payload.equals(fields.payload)).toBe(true);
      }),
    );
  });

  it('for views, transitions and self-leaves, in both byte orders', () => {
    fc.assert(
      fc.property(view, groupId, bigEndian, (fields, oldId, big) => {
        const options = { bigEndian: big };
        const stream = Buffer.concat([
          encodeView(fields, options),
          encodeTransition(fields.group, oldId, options),
          encodeSelfLeave(fields.group, options),
        ]);
        expect(decodeStream(stream).messages).toMatchObject([
          { kind: 'view', ...fields },
          { kind: 'transitional', group: fields.group, groupId: oldId },
          { kind: 'selfLeave', group: fields.group },
        ]);
      }),
    );
  });

  it('for headers of any numbers, and equal to the independent builder', () => {
    const word = fc.integer();
    const fields = fc.record({
      type: fc.nat(0xffffffff),
      privateGroup: anyName,
      numGroups: word,
      messageType,
      dataLength: word,
    });
    fc.assert(
      fc.property(fields, bigEndian, (header, big) => {
        const bytes = Buffer.alloc(48);
        encodeHeader(bytes, 0, header, !big);
        expect(bytes.equals(buildFrame({ ...header, bigEndian: big }))).toBe(true);
        expect(decodeHeader(bytes)).toMatchObject({
          ...header,
          type: (header.type & 0x7fffff7f) >>> 0,
          littleEndian: !big,
          endianMismatch: big,
        });
      }),
    );
  });

  it('for the handshake, split anywhere', () => {
    const request = fc.record({
      name: fc.oneof(fc.constant(''), legalName(10)),
      membership: fc.boolean(),
      priority: fc.constantFrom(0 as const, 1 as const),
    });
    const methods = fc.array(legalName(20), { minLength: 1, maxLength: 2 });
    const version = fc.record({
      major: fc.integer({ min: 3, max: 127 }),
      minor: fc.nat(127),
      patch: fc.nat(127),
    });
    fc.assert(
      fc.property(
        request,
        methods,
        version,
        privateGroup,
        fc.nat(),
        (fields, auth, daemonVersion, group, cut) => {
          expect(readCut(new ConnectRequestReader(), encodeConnectRequest(fields), cut)).toMatchObject(
            fields,
          );
          expect(readCut(new AuthListReader(), encodeAuthList(auth), cut)).toEqual(auth);
          expect(readCut(new AuthChoiceReader(), encodeAuthChoice(auth), cut)).toEqual(auth);
          const accepted = { daemonVersion, privateGroup: group };
          expect(readCut(new AcceptReader(), encodeAccept(accepted), cut)).toEqual(accepted);
        },
      ),
    );
  });

  it('for private groups', () => {
    fc.assert(
      fc.property(legalName(10), legalName(19), (name, daemon) => {
        expect(parsePrivateGroup(`#${name}#${daemon}`)).toEqual({ name, daemon });
      }),
    );
  });
});

/** The result of `reader` for `bytes` in two pieces. */
function readCut<T>(reader: IncrementalReader<T>, bytes: Buffer, place: number): T {
  const cut = place % bytes.length;
  expect(reader.push(bytes.subarray(0, cut))).toBe(false);
  expect(reader.push(bytes.subarray(cut))).toBe(true);
  expect(reader.rest.length).toBe(0);
  return reader.value;
}

describe('any split of a stream is decoded alike', () => {
  it('generated', () => {
    fc.assert(
      fc.property(
        daemonStream.chain((stream) => fc.tuple(fc.constant(stream), cuts(stream))),
        ([stream, places]) => {
          const whole = decodeStream(stream);
          const pieces = decodeStream(stream, places);
          expect(pieces.messages.map(fingerprint)).toEqual(whole.messages.map(fingerprint));
          expect([whole.left, pieces.left]).toEqual([0, 0]);
          expect(pieces.copied).toBeLessThanOrEqual(stream.length);
        },
      ),
    );
  });

  it('recorded', () => {
    const streams = transcriptNames()
      .flatMap((name) => clientRecordings(loadTranscript(name)))
      .map((client) => bytesOf(client.session, 'recv'))
      .filter((stream) => stream.length > 0 && stream.length < 200_000);
    const wholes = new Map(streams.map((stream) => [stream, decodeStream(stream)]));
    fc.assert(
      fc.property(
        fc.constantFrom(...streams).chain((stream) => fc.tuple(fc.constant(stream), cuts(stream))),
        ([stream, places]) => {
          const whole = wholes.get(stream)!;
          const pieces = decodeStream(stream, places);
          expect(pieces.messages.map(fingerprint)).toEqual(whole.messages.map(fingerprint));
          expect(pieces.left).toBe(whole.left);
        },
      ),
      { numRuns: 200 },
    );
  });
});
