import { expect, it } from 'vitest';
import { plain } from '../../../support/containers/containers.js';

const piece = (stream: number, text: string) => {
  const head = Buffer.alloc(8);
  head.writeUInt8(stream, 0);
  head.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([head, Buffer.from(text)]);
};

it("a log of the engine is read without the engine's headers", () => {
  expect(plain(Buffer.concat([piece(1, 'out\n'), piece(2, 'é\n'), piece(1, '')]))).toBe('out\né\n');
  expect(plain(Buffer.alloc(0))).toBe('');
});
