import { describe, expect, it } from 'vitest';
import { EventRecorder } from '../../../server/src/status/event-recorder.js';
import { EventRing } from '../../../server/src/status/event-ring.js';

const MAILBOX = { displayId: 'm1', privateGroup: '#a#node', daemon: '4803' };

describe('the last events', () => {
  it('have increasing sequence numbers, and a follower gets the later ones', () => {
    const ring = new EventRing(10);
    for (const kind of ['a', 'b', 'a', 'b']) ring.add(kind, {});
    expect(ring.after(0).map(({ sequence, kind }) => [sequence, kind])).toEqual([
      [1, 'a'],
      [2, 'b'],
      [3, 'a'],
      [4, 'b'],
    ]);
    expect(ring.after(2).map(({ sequence }) => sequence)).toEqual([3, 4]);
    expect(ring.after(4)).toEqual([]);
    expect(ring.lastSequence).toBe(4);
  });

  it('lose the oldest one of the most frequent kind', () => {
    const ring = new EventRing(10);
    ring.add('rare', {});
    for (let i = 0; i < 1000; i++) ring.add('flood', {});
    const sequences = ring.after(0).map(({ sequence }) => sequence);
    expect(sequences).toEqual([1, 993, 994, 995, 996, 997, 998, 999, 1000, 1001]);
  });

  it('cut long texts', () => {
    const ring = new EventRing(1);
    ring.add('a', { text: 'x'.repeat(10_000) });
    expect(ring.after(0)[0]!.text).toHaveLength(256);
  });

  it('omit empty and missing fields', () => {
    const ring = new EventRing(1);
    ring.add('a', { empty: '', missing: undefined, zero: 0 });
    expect(Object.keys(ring.after(0)[0]!)).toEqual(['sequence', 'kind', 'at', 'zero']);
  });
});

describe('the recorder', () => {
  it('retains 200 events and 50 changes of the daemon', () => {
    const recorder = new EventRecorder();
    for (let i = 0; i < 300; i++) recorder.daemon?.up?.('4803', '5.0.1');
    expect(recorder.events.after(0)).toHaveLength(200);
    expect(recorder.daemonChanges.after(0)).toHaveLength(50);
  });

  it('records no mailbox ID and no token', () => {
    const recorder = new EventRecorder();
    const id = '0123456789abcdef0123456789abcdef';
    const secret = `mailbox ${id} with Bearer top-secret-token`;
    recorder.mailbox?.ended?.(MAILBOX, 'INTERNAL', secret);
    recorder.mailbox?.ended?.(MAILBOX, 'INTERNAL', `${'x'.repeat(240)} ${id}`);
    recorder.mailbox?.connectFailed?.('4803', new Error(secret));
    recorder.mailbox?.reconnecting?.(MAILBOX, secret);
    recorder.daemon?.down?.(new Error(secret));
    recorder.security?.refused?.('ADMIN_ONLY', { why: secret, ...{ token: 'top-secret-token' } });
    const text = JSON.stringify([recorder.events.after(0), recorder.daemonChanges.after(0)]);
    expect(text).not.toContain('top-secret-token');
    expect(text).not.toMatch(/[0-9a-f]{12}/);
    expect(recorder.events.after(0)).toHaveLength(6);
  });

  it('ignores connections that only open and close', () => {
    const recorder = new EventRecorder();
    recorder.security?.refused?.('TLS_GONE', { peer: '127.0.0.1:1' });
    expect(recorder.events.lastSequence).toBe(0);
  });
});
