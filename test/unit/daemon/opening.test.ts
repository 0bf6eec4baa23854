import { describe, expect, it } from 'vitest';
import { Opening } from '../../../server/src/daemon/opening.js';
import { encodeAuthChoice, encodeConnectRequest } from '../../../server/src/spread/wire/index.js';

const request = (name: string, version = { major: 5, minor: 0, patch: 1 }) =>
  encodeConnectRequest({ name, membership: true, priority: 0, version });
const NOTHING = Buffer.alloc(0);

describe('Opening', () => {
  it.each([1, 2, 3, 7, 100])('reads a handshake in pieces of %i bytes', (size) => {
    const opening = new Opening();
    const kinds: string[] = [];
    for (const part of [request('alice'), encodeAuthChoice(['NULL'])])
      for (let at = 0; at < part.length; at += size)
        kinds.push(opening.push(part.subarray(at, at + size)).kind);
    expect(kinds.filter((kind) => kind !== 'incomplete')).toEqual(['requested', 'complete']);
  });

  it('is complete without a choice for clients before 3.16, and keeps the bytes after a 10-byte name', () => {
    const opening = new Opening();
    const behind = Buffer.from('frames');
    const first = opening.push(
      Buffer.concat([request('abcdefghij', { major: 3, minor: 14, patch: 0 }), behind]),
    );
    expect(first).toMatchObject({ kind: 'requested', request: { name: 'abcdefghij', authPhase: false } });
    expect(opening.push(NOTHING)).toMatchObject({ kind: 'complete', rest: behind });
  });

  it('keeps the bytes after the choice', () => {
    const opening = new Opening();
    opening.push(request('a'));
    const last = opening.push(Buffer.concat([encodeAuthChoice(['NULL']), Buffer.from('frames')]));
    expect(last).toMatchObject({ kind: 'complete', rest: Buffer.from('frames') });
  });

  it.each<[string, Buffer[], string | undefined]>([
    ['nothing', [], undefined],
    ['a part of the head', [Buffer.from([5, 0, 1])], undefined],
    ['the head alone', [Buffer.from([5, 0, 1, 1, 4])], undefined],
    ['the head of an old client alone', [Buffer.from([3, 14, 1, 4])], undefined],
    ['a part of the name', [Buffer.from([5, 0, 1, 1, 4, 97])], 'REJECT_ILLEGAL_NAME'],
    ['a part of the name of an old client', [Buffer.from([3, 14, 1, 4, 97])], 'REJECT_ILLEGAL_NAME'],
    ['no choice', [request('a')], undefined],
    ['a part of the choice', [request('a'), Buffer.from('NULL')], 'REJECT_AUTH'],
  ])('has the response for a client that stops after %s', (_, parts, code) => {
    const opening = new Opening();
    for (const part of parts) opening.push(part);
    expect(opening.shortfall()).toBe(code);
  });

  it('rejects three methods', () => {
    const opening = new Opening();
    opening.push(request('a'));
    const slot = Buffer.alloc(30);
    slot.write('NULL');
    expect(() => opening.push(Buffer.concat([slot, slot, slot]))).toThrow(/NULL/);
    const two = new Opening();
    two.push(request('a'));
    expect(two.push(Buffer.concat([slot, slot, Buffer.alloc(30)])).kind).toBe('complete');
  });
});
