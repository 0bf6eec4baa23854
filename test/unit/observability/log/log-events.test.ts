import { describe, expect, it } from 'vitest';
import {
  createEvents,
  createLogger,
  logEvents,
  type SidecarEvents,
} from '../../../../server/src/observability/index.js';
import { schemaErrors } from '../../../support/log-schema.js';

const mailbox = { displayId: 'm1', privateGroup: '#a#b', daemon: '4803' };
const about = { mailbox: 'm1', privateGroup: '#a#b', daemon: '4803' };
const failure = Object.assign(new Error('refused'), { code: 'COULD_NOT_CONNECT' });

const rows: [string, (events: SidecarEvents) => void, Record<string, unknown>][] = [
  [
    'opened',
    (e) => e.mailbox.opened(mailbox, { peer: '127.0.0.1:5', identity: 'client:alice' }),
    { level: 'debug', msg: 'mailbox opened', ...about, peer: '127.0.0.1:5', identity: 'client:alice' },
  ],
  [
    'ended by its owner',
    (e) => e.mailbox.ended(mailbox, 'DISCONNECTED', 'bye'),
    { level: 'debug', msg: 'mailbox ended: bye', reason: 'DISCONNECTED', ...about },
  ],
  [
    'ended by itself',
    (e) => e.mailbox.ended(mailbox, 'QUEUE_OVERFLOW', 'too full'),
    { level: 'warn', msg: 'mailbox ended: too full', reason: 'QUEUE_OVERFLOW', ...about },
  ],
  [
    'a limit',
    (e) => e.limits.reached('limits.maxCalls', { peer: '10.0.0.1:5' }),
    { level: 'warn', msg: 'a client reached a limit', limit: 'limits.maxCalls', peer: '10.0.0.1:5' },
  ],
  ['paused', (e) => e.mailbox.paused(mailbox), { level: 'warn', ...about }],
  ['resumed', (e) => e.mailbox.resumed(mailbox), { level: 'info', ...about }],
  [
    'slow',
    (e) =>
      e.mailbox.slowConsumer(mailbox, {
        queuedEvents: 8,
        queuedBytes: 80,
        limits: { maxEvents: 10, maxBytes: 100, replayBytes: 0, overflow: 'PAUSE' },
        mark: { events: 5, bytes: 50 },
        timeLeftMs: undefined,
      }),
    {
      level: 'warn',
      msg: 'slow consumer: the queue fills faster than the receiver empties it',
      queuedEvents: 8,
      maxEvents: 10,
      queuedBytes: 80,
      maxBytes: 100,
      ...about,
    },
  ],
  [
    'slow, with a soft limit',
    (e) =>
      e.mailbox.slowConsumer(mailbox, {
        queuedEvents: 6,
        queuedBytes: 60,
        limits: { maxEvents: 10, maxBytes: 100, replayBytes: 0, overflow: 'PAUSE' },
        mark: { events: 5, bytes: 50 },
        timeLeftMs: 29_999.5,
      }),
    {
      level: 'warn',
      msg: 'slow consumer: the queue fills faster than the receiver empties it; the queue is above its soft limit, and the sidecar ends the mailbox in 30000 ms',
      queuedEvents: 6,
      maxEvents: 10,
      queuedBytes: 60,
      maxBytes: 100,
      ...about,
    },
  ],
  [
    'connect failed',
    (e) => e.mailbox.connectFailed('4803', failure),
    { level: 'info', msg: 'a mailbox could not connect: refused', daemon: '4803', code: 'COULD_NOT_CONNECT' },
  ],
  [
    'reconnecting',
    (e) => e.mailbox.reconnecting(mailbox, 'gone'),
    { level: 'warn', msg: 'the mailbox reconnects: gone', ...about },
  ],
  [
    'an attempt to reconnect',
    (e) => e.mailbox.reconnectFailed(mailbox, '4804', failure),
    {
      level: 'debug',
      msg: 'the mailbox could not reconnect: refused',
      ...about,
      daemon: '4804',
      code: 'COULD_NOT_CONNECT',
    },
  ],
  [
    'reconnected',
    (e) => e.mailbox.reconnected(mailbox, '#a#c', 0.5),
    {
      level: 'info',
      msg: 'the mailbox has reconnected',
      previousPrivateGroup: '#a#c',
      seconds: 0.5,
      ...about,
    },
  ],
  [
    'defect',
    (e) => e.mailbox.defect(new Error('bug')),
    { level: 'error', err: expect.objectContaining({ message: 'bug' }) },
  ],
  [
    'daemon up',
    (e) => e.daemon.up('4803', '5.0.1'),
    { level: 'info', msg: 'the Spread daemon is up', daemon: '4803', daemonVersion: '5.0.1' },
  ],
  [
    'daemon down',
    (e) => e.daemon.down(failure),
    { level: 'warn', msg: 'the Spread daemon is down: refused', code: 'COULD_NOT_CONNECT' },
  ],
  [
    'daemon down, nobody knows why',
    (e) => e.daemon.down(undefined),
    { level: 'warn', msg: 'the Spread daemon is down' },
  ],
  [
    'embedded daemon: cut',
    (e) =>
      e.embedded.event({
        kind: 'session-cut',
        privateGroup: '#x#y',
        reason: 'slow-reader',
        message: 'too slow',
        messagesLost: 0,
        error: undefined,
      }),
    {
      level: 'warn',
      msg: 'embedded daemon: session-cut: too slow',
      privateGroup: '#x#y',
      reason: 'slow-reader',
    },
  ],
  [
    'embedded daemon: session',
    (e) =>
      e.embedded.event({
        kind: 'session-opened',
        transport: 'tcp',
        privateGroup: '#x#y',
        version: { major: 5, minor: 0, patch: 1 },
        membership: true,
      }),
    {
      level: 'debug',
      msg: 'embedded daemon: session-opened',
      privateGroup: '#x#y',
      clientVersion: '5.0.1',
      membership: true,
      transport: 'tcp',
    },
  ],
  [
    'embedded daemon: a defect',
    (e) =>
      e.embedded.event({
        kind: 'session-cut',
        privateGroup: '#x#y',
        reason: 'internal-error',
        message: 'a bug',
        messagesLost: 3,
        error: new Error('bug'),
      }),
    {
      level: 'warn',
      reason: 'internal-error',
      messagesLost: 3,
      err: expect.objectContaining({ message: 'bug', stack: expect.stringContaining('Error: bug') }),
    },
  ],
  [
    'embedded daemon: session closed',
    (e) => e.embedded.event({ kind: 'session-closed', privateGroup: '#x#y', reason: 'disconnect' }),
    { level: 'debug', privateGroup: '#x#y', reason: 'disconnect' },
  ],
  [
    'embedded daemon: client refused',
    (e) =>
      e.embedded.event({
        kind: 'client-refused',
        transport: 'unix',
        code: 'REJECT_QUOTA',
        message: 'no room',
      }),
    {
      level: 'info',
      msg: 'embedded daemon: client-refused: no room',
      transport: 'unix',
      code: 'REJECT_QUOTA',
    },
  ],
];

describe('the content of the log', () => {
  it.each(rows)('%s', (_, tell, entry) => {
    const lines: string[] = [];
    const destination = { write: (line: string) => lines.push(line) };
    tell(createEvents([logEvents(createLogger({ level: 'debug', format: 'json', destination }))]));
    expect(lines.map((line) => JSON.parse(line))).toEqual([expect.objectContaining(entry)]);
    expect(lines.flatMap(schemaErrors)).toEqual([]);
  });
});
