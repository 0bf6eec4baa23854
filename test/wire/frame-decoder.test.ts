import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  CLIENT_FRAME_LIMITS,
  DAEMON_FRAME_LIMITS,
  type Frame,
  FrameDecoder,
  WireError,
} from '../../server/src/spread/wire/index.js';
import { buildFrame } from '../support/wire/frame-builder.js';

function collect(role: 'client' | 'daemon' = 'client'): { decoder: FrameDecoder; frames: Frame[] } {
  const frames: Frame[] = [];
  return { decoder: new FrameDecoder({ role }, (frame) => frames.push(frame)), frames };
}

const FRAME = buildFrame({
  type: 2,
  privateGroup: '#a#d',
  groups: ['g1', 'g2'],
  data: Buffer.from('payload'),
});

afterEach(() => vi.restoreAllMocks());

describe('frames', () => {
  it('are decoded, for every position of one split', () => {
    for (let cut = 0; cut <= FRAME.length; cut++) {
      const { decoder, frames } = collect();
      decoder.push(FRAME.subarray(0, cut));
      expect(decoder.bufferedBytes).toBe(cut === FRAME.length ? 0 : cut);
      expect(frames.length).toBe(cut === FRAME.length ? 1 : 0);
      decoder.push(FRAME.subarray(cut));
      expect(frames.length).toBe(1);
      expect(frames[0]!.headerBytes).toEqual(FRAME.subarray(0, 48));
      expect(frames[0]!.body).toEqual(FRAME.subarray(48));
      expect(decoder.bufferedBytes).toBe(0);
    }
  });

  it('without a body are decoded with the last byte of their header', () => {
    const empty = buildFrame({ type: 0x200, privateGroup: 'g' });
    const { decoder, frames } = collect();
    decoder.push(empty.subarray(0, 47));
    expect(frames.length).toBe(0);
    decoder.push(Buffer.concat([empty.subarray(47), empty, empty]));
    expect(frames.map(({ body }) => body.length)).toEqual([0, 0, 0]);
  });

  it('of rejected messages have an extra word, which only the client side reads', () => {
    const reject = buildFrame({ type: 0x400000, oldType: 0x100, groups: ['g', '#a#d'] });
    const client = collect('client');
    client.decoder.push(reject);
    expect(client.frames[0]!.body.length).toBe(4 + 64);
    const daemon = collect('daemon');
    daemon.decoder.push(reject);
    expect(daemon.frames[0]!.body.length).toBe(64);
  });
});

describe('lent memory', () => {
  /** The test overwrites buffers as soon as they are released, and each chunk when push() has returned. */
  function scribbling(chunks: Iterable<Buffer>): { seen: string[]; lent: number } {
    const seen: string[] = [];
    const result = { seen, lent: 0 };
    const memory = {
      take: (bytes: number) => {
        result.lent++;
        return Buffer.alloc(bytes + 7);
      },
      give: (buffer: Buffer) => {
        result.lent--;
        buffer.fill(0xee);
      },
    };
    const decoder = new FrameDecoder({ role: 'client', memory }, ({ headerBytes, body, header }) =>
      seen.push(`${header.privateGroup} ${headerBytes.toString('hex')} ${body.toString('hex')}`),
    );
    for (const chunk of chunks) {
      const mine = Buffer.from(chunk);
      decoder.push(mine);
      mine.fill(0xdd);
    }
    return result;
  }
  const text = `#a#d ${FRAME.subarray(0, 48).toString('hex')} ${FRAME.subarray(48).toString('hex')}`;

  it('is read before anything else is in it, for every two cuts', () => {
    for (let first = 0; first <= FRAME.length; first++)
      for (let second = first; second <= FRAME.length; second++)
        expect(
          scribbling([
            FRAME.subarray(0, first),
            FRAME.subarray(first, second),
            Buffer.concat([FRAME.subarray(second), FRAME]),
          ]),
        ).toEqual({ seen: [text, text], lent: 0 });
  });

  it('holds one body at a time', () => {
    const decoder = new FrameDecoder(
      { role: 'client', memory: { take: (bytes) => Buffer.alloc(bytes), give: () => expect.unreachable() } },
      () => {},
    );
    decoder.push(FRAME.subarray(0, 100));
    expect(decoder.bufferedBytes).toBe(100);
  });
});

describe('memory', () => {
  it('a frame within one chunk is not copied', () => {
    const { decoder, frames } = collect();
    const chunk = Buffer.concat([FRAME, FRAME]);
    decoder.push(chunk);
    expect(decoder.bytesCopied).toBe(0);
    expect(frames.map(({ body }) => body.buffer === chunk.buffer)).toEqual([true, true]);
  });

  it('a frame in pieces is copied once, into a new buffer', () => {
    const { decoder, frames } = collect();
    const bytes = Buffer.from(FRAME);
    decoder.push(bytes.subarray(0, 60));
    decoder.push(bytes.subarray(60));
    // The header was within one chunk.
    expect(decoder.bytesCopied).toBe(FRAME.length - 48);
    expect(frames[0]!.body.buffer.byteLength).toBe(FRAME.length - 48);
    expect(frames[0]!.body.buffer).not.toBe(bytes.buffer);
  });

  it('is linear in time for chunks of one byte: each byte is copied once, with one buffer a frame', () => {
    const sizes = [1000, 10_000, 100_000];
    const copied: number[] = [];
    for (const size of sizes) {
      const frame = buildFrame({ type: 2, groups: ['g'], data: Buffer.alloc(size) });
      const { decoder, frames } = collect();
      const copies = vi.spyOn(Buffer.prototype, 'copy');
      const allocations = vi.spyOn(Buffer, 'allocUnsafeSlow');
      const concats = vi.spyOn(Buffer, 'concat');
      for (let i = 0; i < frame.length; i++) decoder.push(frame.subarray(i, i + 1));
      expect(frames.length).toBe(1);
      expect(copies.mock.calls.length).toBeLessThanOrEqual(frame.length);
      expect(allocations.mock.calls.map(([bytes]) => bytes)).toEqual([48, 32 + size]);
      expect(concats).not.toHaveBeenCalled();
      copied.push(decoder.bytesCopied - frame.length);
      vi.restoreAllMocks();
    }
    expect(copied).toEqual([0, 0, 0]);
  });

  it('is allocated when a header is within the limits, and not before', () => {
    const allocations = vi.spyOn(Buffer, 'allocUnsafeSlow');
    const header = buildFrame({ type: 2, numGroups: 1, dataLength: 2 ** 31 - 1 });
    const { decoder } = collect();
    expect(() => decoder.push(header)).toThrow(WireError);
    expect(allocations).not.toHaveBeenCalled();
  });
});

describe('limits', () => {
  const { maxGroups, maxData, maxBody } = DAEMON_FRAME_LIMITS;
  const rows: [string, object, string][] = [
    ['num_groups -1', { numGroups: -1 }, 'num_groups'],
    ['num_groups 101', { numGroups: maxGroups + 1 }, 'num_groups'],
    ['num_groups 2^31-1', { numGroups: 2 ** 31 - 1 }, 'num_groups'],
    ['data_len -1', { dataLength: -1 }, 'data_len'],
    ['data_len 144001', { dataLength: maxData + 1 }, 'data_len'],
    ['data_len -2^31', { dataLength: -(2 ** 31) }, 'data_len'],
    ['data_len 143921 and 1 group', { numGroups: 1, dataLength: 143_921 }, 'data_len + 32 * num_groups'],
    ['data_len 140753 and 100 groups', { numGroups: 100, dataLength: 140_753 }, 'data_len + 32 * num_groups'],
  ];

  it.each(rows)('of a daemon reject %s', (_name, fields, field) => {
    for (const bigEndian of [false, true]) {
      const { decoder } = collect('daemon');
      let error: unknown;
      try {
        decoder.push(buildFrame({ type: 2, bigEndian, ...fields }));
      } catch (caught) {
        error = caught;
      }
      expect(error).toMatchObject({ code: 'ILLEGAL_MESSAGE', number: -13, field });
      expect((error as WireError).message).toContain((error as WireError).bound);
    }
  });

  it('of a daemon allow what a 5.0.1 daemon reads', () => {
    expect({ maxGroups, maxData, maxBody }).toEqual({ maxGroups: 100, maxData: 144_000, maxBody: 143_952 });
    const { decoder, frames } = collect('daemon');
    decoder.push(buildFrame({ type: 2, groups: Array(100).fill('g'), data: Buffer.alloc(140_752) }));
    decoder.push(buildFrame({ type: 2, data: Buffer.alloc(143_952) }));
    expect(frames.length).toBe(2);
  });

  it('of a client allow a view with every member of a large group', () => {
    const { decoder, frames } = collect('client');
    const view = buildFrame({ type: 0x1100, groups: Array(4500).fill('#a#d'), data: Buffer.alloc(144_000) });
    decoder.push(view);
    expect(frames.length).toBe(1);
    expect(() =>
      decoder.push(buildFrame({ type: 0x1100, numGroups: CLIENT_FRAME_LIMITS.maxGroups + 1 })),
    ).toThrow(WireError);
  });

  it('may be given', () => {
    const decoder = new FrameDecoder(
      { role: 'client', limits: { maxGroups: 1, maxData: 10, maxBody: 40 } },
      () => {},
    );
    decoder.push(buildFrame({ type: 2, groups: ['g'], data: Buffer.alloc(8) }));
    expect(() => decoder.push(buildFrame({ type: 2, groups: ['g'], data: Buffer.alloc(9) }))).toThrow(
      '0..40',
    );
  });
});

describe('validateHeader', () => {
  it('is called when the header is complete, before the rest arrives', () => {
    const seen: number[] = [];
    const decoder = new FrameDecoder(
      {
        role: 'daemon',
        validateHeader: (header, bytes) => {
          seen.push(header.type, bytes.length);
          throw new WireError('ILLEGAL_MESSAGE', 'type', 'no');
        },
      },
      () => expect.unreachable(),
    );
    decoder.push(FRAME.subarray(0, 47));
    expect(seen).toEqual([]);
    expect(() => decoder.push(FRAME.subarray(47, 48))).toThrow('no');
    expect(seen).toEqual([2, 48]);
  });

  it('is not called for a header beyond the limits', () => {
    const validateHeader = vi.fn();
    const decoder = new FrameDecoder({ role: 'daemon', validateHeader }, () => {});
    expect(() => decoder.push(buildFrame({ type: 2, numGroups: 101 }))).toThrow(WireError);
    expect(validateHeader).not.toHaveBeenCalled();
  });
});

describe('a decoder that threw', () => {
  it('stays failed: every push throws the same error, and nothing is decoded', () => {
    const { decoder, frames } = collect();
    const push = (bytes: Buffer): unknown => {
      try {
        decoder.push(bytes);
        return undefined;
      } catch (error) {
        return error;
      }
    };
    const first = push(buildFrame({ type: 2, numGroups: -1 }));
    expect(first).toBeInstanceOf(WireError);
    expect(push(FRAME)).toBe(first);
    expect(push(Buffer.alloc(0))).toBe(first);
    expect(frames).toEqual([]);
  });

  it('because its listener threw, too', () => {
    const decoder = new FrameDecoder({ role: 'client' }, () => {
      throw new Error('listener');
    });
    expect(() => decoder.push(FRAME)).toThrow('listener');
    expect(() => decoder.push(FRAME)).toThrow('listener');
  });
});
