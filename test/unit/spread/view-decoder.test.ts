import { expect, it } from 'vitest';
import type { Frame } from '../../../server/src/spread/wire/frame-decoder.js';
import { decodeView } from '../../../server/src/spread/wire/views/view-decoder.js';

const CAUSED_BY_JOIN = 0x100;

/** A view without members, and 500 bytes for its sets. */
function viewWith(numberOfSets: number): Frame {
  const body = Buffer.alloc(520);
  body.writeInt32BE(numberOfSets, 12);
  const header = { type: CAUSED_BY_JOIN, numGroups: 0, privateGroup: 'g', littleEndian: false };
  return { header, body } as unknown as Frame;
}

it.each([
  [0, /number of sets is 0, but must be at least 1/],
  [1000, /number of sets is 1000, but only 500 bytes follow/],
])('a view with %i sets is rejected, and the message names the bound', (numberOfSets, message) => {
  expect(() => decodeView(viewWith(numberOfSets))).toThrow(message);
});
