import type { RegularMessage } from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import { type MessageFilter, matchesFilter, typeRange } from '../../../server/src/cli/tap/message-filter.js';
import { hexLines, payloadLines } from '../../../server/src/cli/terminal/payload-lines.js';

describe('the filter of tap', () => {
  const message = { sender: '#alice#node1', messageType: 5, payload: Buffer.alloc(10) } as RegularMessage;
  it.each<[MessageFilter, boolean]>([
    [{}, true],
    [{ sender: ['alice'] }, true],
    [{ sender: ['bob', '#alice#node1'] }, true],
    [{ sender: ['bob', 'ali', 'node1', '#alice#node2', ''] }, false],
    [{ type: typeRange('5') }, true],
    [{ type: typeRange('6..9', typeRange('-3..5')) }, true],
    [{ type: typeRange('6..9', typeRange('-3..4')) }, false],
    [{ minSize: 10, maxSize: 10 }, true],
    [{ minSize: 11 }, false],
    [{ maxSize: 9 }, false],
    [{ sender: ['alice'], type: typeRange('5'), maxSize: 9 }, false],
  ])('%j accepts the message: %s', (filter, isAccepted) => {
    expect(matchesFilter(message, filter)).toBe(isAccepted);
  });
});

describe('the lines of a payload', () => {
  const text = Buffer.from('héllo\x1b[2J\r\nworld\t!');
  const bytes = Buffer.from([0xff, 0x00, 0x41, 0x7e, 0x7f]);

  it('are text if the payload is UTF-8, else hexadecimal', () => {
    expect(payloadLines(text, 'auto', 100)).toEqual(['héllo\\x1b[2J', 'world\\x09!']);
    expect(payloadLines(bytes, 'auto', 100)).toEqual(hexLines(bytes));
    expect(payloadLines(Buffer.alloc(0), 'both', 100)).toEqual([]);
  });

  it('have offsets, bytes and characters in hexadecimal', () => {
    expect(hexLines(Buffer.concat([Buffer.from('0123456789abcdef'), bytes]))).toEqual([
      '00000000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  |0123456789abcdef|',
      '00000010  ff 00 41 7e 7f                                   |..A~.|',
    ]);
  });

  it('can be text and hexadecimal', () => {
    expect(payloadLines(bytes, 'text', 100)).toEqual(['\ufffd\\x00A~\\x7f']);
    expect(payloadLines(Buffer.from('ab'), 'both', 100)).toEqual(['ab', ...hexLines(Buffer.from('ab'))]);
    expect(payloadLines(Buffer.from('ab'), 'hex', 100)).toEqual(hexLines(Buffer.from('ab')));
  });

  it('name the number of the bytes that are not shown', () => {
    expect(payloadLines(Buffer.from('abcdef'), 'auto', 5)).toEqual(['abcde', '… and 1 more byte']);
    expect(payloadLines(Buffer.alloc(100), 'hex', 0)).toEqual(['… and 100 more bytes']);
  });
});
