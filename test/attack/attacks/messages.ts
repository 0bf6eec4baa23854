import { grpcMessage } from '../../support/network/http2-frames.js';

/** What a field of a Protocol Buffers message can hold here: a number as varint, anything else with a length. */
type Value = number | string | Buffer;

/** A field's number, 1 to 15, and its value. */
export type Field = readonly [number, Value];

/** A message of Protocol Buffers: its fields in this order. */
export function message(...fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([number, value]) => {
      if (typeof value === 'number') return [Buffer.of(number << 3), varint(value)];
      const bytes = Buffer.from(value);
      return [Buffer.of((number << 3) | 2), varint(bytes.length), bytes];
    }),
  );
}

/** The same with the five bytes that gRPC puts before a message. */
export function request(...fields: readonly Field[]): Buffer {
  return grpcMessage(message(...fields));
}

/** Field 1 of a message, when it is the first field and shorter than 128 bytes; else empty. */
export function firstText(bytes: Buffer): string {
  return bytes[0] === 0x0a ? bytes.toString('utf8', 2, 2 + (bytes[1] ?? 0)) : '';
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.of(...bytes, rest);
}
