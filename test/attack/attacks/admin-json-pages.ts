import type { Attack, Span, Target } from '../attack.js';
import { closed, keepConnections } from './connections.js';
import { MailboxCalls } from './mailbox-calls.js';
import { message, request } from './messages.js';

/** Mailboxes and groups that the pages show. */
const MAILBOXES = { short: 50, full: 300 };
const GROUPS_EACH = { short: 10, full: 18 };
/** Longest time for opening the mailboxes. Unit: ms. */
const OPENING_MS = { short: 3000, full: 10_000 };
/** Connections that open the mailboxes. */
const OPENERS = 4;

/** Requests of the largest pages, in every order that needs a sort. */
const PATHS = [
  '/mailboxes.json?limit=1000',
  '/groups.json?limit=1000',
  '/mailboxes.json?limit=1000&sort=-receivedPerSecond&filter=%23',
  '/groups.json?limit=1000&sort=-lastChange&filter=1',
  '/groups.json?sort=members&offset=4000',
  '/mailboxes.json?limit=1000&sort=client',
  '/events.json',
  '/status.json',
];
const head = (path: string) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`;
/** Requests of one packet. */
const REQUESTS = 800;
const PACKET = Buffer.from(
  Array.from({ length: REQUESTS }, (_, at) => head(PATHS[at % PATHS.length]!)).join(''),
);

export const adminJsonPages: Attack = {
  name: 'admin-json-pages',
  text: `${REQUESTS} pipelined GETs of the JSON pages on 20 connections, and one after the other on 50, with ${MAILBOXES.full} mailboxes`,
  seconds: { short: 6, full: 30 },
  bounds: { peakMiB: 200 },
  async run(target, span) {
    const mailboxes = await openMailboxes(target, span);
    const address = { host: target.host, port: target.adminPort };
    let answers = 0;
    let bytes = 0;
    const pipelined = keepConnections(address, { count: 20, most: 2000 }, span, async (socket) => {
      socket.on('data', (chunk) => {
        bytes += chunk.length;
      });
      socket.write(PACKET);
      await closed(socket);
    });
    let next = 0;
    const single = keepConnections(address, { count: 50, most: 5000 }, span, async (socket) => {
      const ask = () => {
        if (!span.isOver) socket.write(head(PATHS[next++ % PATHS.length]!));
      };
      // An answer of several chunks causes several requests, which makes the attack stronger.
      socket.on('data', (chunk) => {
        answers++;
        bytes += chunk.length;
        ask();
      });
      ask();
      await closed(socket);
    });
    const connections = (await pipelined) + (await single);
    for (const calls of mailboxes.openers) calls.close();
    return {
      mailboxes: mailboxes.count,
      groups: mailboxes.groups,
      connections,
      chunks: answers,
      'MiB received': bytes / 2 ** 20,
    };
  },
};

/** Mailboxes with groups of their own. None in a sidecar whose gRPC port is unknown. */
async function openMailboxes(target: Target, span: Span) {
  const opened = { openers: [] as MailboxCalls[], count: 0, groups: 0 };
  if (target.grpcPort === 0) return opened;
  const form = span.short ? 'short' : 'full';
  // The rest of the time is for the pages.
  const endsAt = performance.now() + OPENING_MS[form];
  // A minute is longer than the attack.
  const lease = [7, message([1, 60])] as const;
  const open = async (calls: MailboxCalls) => {
    while (opened.count < MAILBOXES[form] && performance.now() < endsAt) {
      const name = `g${opened.count++}`;
      const id = await calls.connect(lease);
      if (id === undefined) return;
      const joins = Array.from({ length: GROUPS_EACH[form] }, (_, at) =>
        calls.call('Join', request([1, id], [2, `${name}-${at}`])),
      );
      opened.groups += (await Promise.all(joins)).filter((answer) => answer instanceof Buffer).length;
    }
  };
  opened.openers = Array.from({ length: OPENERS }, () => new MailboxCalls(target, span));
  await Promise.all(opened.openers.map(open));
  return opened;
}
