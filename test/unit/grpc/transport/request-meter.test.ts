import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RequestMeter } from '../../../../server/src/grpc/transport/request-meter.js';
import { grpcMessage } from '../../../support/network/http2-frames.js';

const message = (bytes: number, compressed = false) => grpcMessage(Buffer.alloc(bytes), compressed);

describe('RequestMeter', () => {
  it('counts a message until it is handed over', () => {
    const meter = new RequestMeter(1000, 1_000_000_000_000);
    const bytes = message(20);
    meter.arrived(bytes.subarray(0, 3));
    expect(meter.held).toBe(3);
    meter.arrived(bytes.subarray(3, 15));
    expect(meter.held).toBe(15);
    meter.arrived(Buffer.concat([bytes.subarray(15), message(0), message(7)]));
    expect(meter.held).toBe(25 + 5 + 12);
    meter.handedOver();
    expect(meter.held).toBe(17);
    meter.handedOver();
    meter.handedOver();
    expect(meter.held).toBe(0);
  });

  it('counts a compressed message with its possible size, from its first byte', () => {
    const meter = new RequestMeter(1000, 1_000_000_000_000);
    expect(meter.arrived(Buffer.of(1))).toBe('compressed');
    expect(meter.held).toBe(1000);
    expect(meter.arrived(message(20, true).subarray(1))).toBeUndefined();
    expect(meter.held).toBe(1000);
    expect(meter.arrived(message(5))).toBeUndefined();
    expect(meter.held).toBe(1010);
    meter.handedOver();
    expect(meter.held).toBe(10);
  });

  it('reads lengths of four bytes', () => {
    const meter = new RequestMeter(1000, 1_000_000_000_000);
    meter.arrived(Buffer.of(0, 0xff, 0xff, 0xff, 0xff));
    meter.arrived(Buffer.alloc(100_000));
    expect(meter.held).toBe(100_005);
  });

  it('reports a message that is too large when its length is known', () => {
    const meter = new RequestMeter(1000, 100);
    expect(meter.arrived(message(100))).toBeUndefined();
    const large = message(101);
    expect(meter.arrived(large.subarray(0, 4))).toBeUndefined();
    expect(meter.arrived(large.subarray(4, 5))).toBe('too large');
  });

  it('forgets everything when it is not used', () => {
    const meter = new RequestMeter(1000, 1_000_000_000_000);
    meter.arrived(Buffer.concat([message(20), message(30).subarray(0, 9)]));
    meter.clear();
    expect(meter.held).toBe(0);
    meter.handedOver();
    expect(meter.held).toBe(0);
  });

  it('has the same result for any split of the bytes', () => {
    const messages = fc.array(fc.tuple(fc.nat(40), fc.boolean()), { maxLength: 8 });
    fc.assert(
      fc.property(messages, fc.array(fc.nat(300), { maxLength: 12 }), fc.nat(4), (sizes, cuts, taken) => {
        const bytes = Buffer.concat(sizes.map(([size, compressed]) => message(size, compressed)));
        const whole = new RequestMeter(1000, 1_000_000_000_000);
        const cut = new RequestMeter(1000, 1_000_000_000_000);
        const saw = whole.arrived(bytes);
        const places = [0, ...cuts.filter((at) => at < bytes.length).sort((a, b) => a - b), bytes.length];
        const seen = places.slice(1).map((end, i) => cut.arrived(bytes.subarray(places[i]!, end)));
        for (const meter of [whole, cut])
          for (let i = 0; i < Math.min(taken, sizes.length); i++) meter.handedOver();
        expect(cut.held).toBe(whole.held);
        expect(seen.find((what) => what !== undefined)).toBe(saw);
        const left = sizes.slice(taken).map(([size, compressed]) => (compressed ? 1000 : size + 5));
        expect(whole.held).toBe(left.reduce((sum, size) => sum + size, 0));
      }),
    );
  });
});
