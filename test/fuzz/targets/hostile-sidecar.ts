import { type Mailbox, SpreadError, SpreadSidecar } from 'spread-sidecar-client';
import * as rich from 'spread-sidecar-proto';
import { quietGrpcLog } from '../../../server/src/grpc/transport/grpc-log.js';
import type { Input } from '../engine/input.js';
import { type Subject, type Target, Violation } from '../engine/target.js';
import { words } from '../engine/text.js';
import { HostileSidecar, LANE_HEADER } from '../network/hostile-sidecar.js';
import { framed } from '../network/http2-call.js';
import { RPCS, type Rpc } from './request-seeds.js';
import { responseSeeds } from './response-seeds.js';

/** Pieces: the call (first byte), then the response of a hostile sidecar. */
export const hostileSidecar: Target = {
  name: 'hostile-sidecar',
  text: "the TypeScript client's calls, answered by a sidecar with arbitrary responses: headers, messages, trailers, rich details",
  kind: 'network',
  chunk: 200,
  lanes: 12,
  open: openClients,
};

const CALL_MS = 400;
const limits = { timeoutMs: CALL_MS };

interface Lane {
  readonly lane: string;
  readonly client: SpreadSidecar;
}

async function openClients(): Promise<Subject> {
  // Node's warnings about malformed headers would be most of the output.
  quietGrpcLog();
  const server = await HostileSidecar.start();
  const all: Lane[] = [];
  const idle: Lane[] = [];
  const newLane = (): Lane => {
    const lane = String(all.length);
    const client = new SpreadSidecar({ target: server.target, headers: { [LANE_HEADER]: lane } });
    all.push({ lane, client });
    return all.at(-1)!;
  };
  return {
    material: { seeds: seeds(), words: WORDS, maxPieces: 24, maxPieceBytes: 4096 },
    run: async ([first = Buffer.alloc(0), ...answer]) => {
      const rpc = RPCS[(first[0] ?? 0) % RPCS.length]!;
      const mine = idle.pop() ?? newLane();
      server.answer(mine.lane, { rpc, answer });
      let mailbox: Mailbox | undefined;
      try {
        mailbox = await mine.client.connect({ ...limits, heartbeatIntervalMs: 0 });
        await use(mine.client, mailbox, rpc);
        return `${rpc} OK`;
      } catch (error) {
        // A sender reports all rejections together.
        const first = error instanceof AggregateError ? error.errors[0] : error;
        if (!(first instanceof SpreadError)) throw error;
        if (first.statusName === undefined || first.message === undefined)
          throw new Violation('half an error');
        return `${rpc} ${first.statusName}`;
      } finally {
        mailbox?.detach();
        idle.push(mine);
      }
    },
    stop: async () => {
      await Promise.all(all.map(({ client }) => client.close({ keepMailboxes: true }).catch(() => {})));
      await server.stop();
    },
  };
}

/** Makes the call that the script answers. */
async function use(client: SpreadSidecar, mailbox: Mailbox, rpc: Rpc): Promise<void> {
  switch (rpc) {
    case 'disconnect':
      await mailbox.disconnect(limits);
      return;
    case 'join':
      await mailbox.join('g', { ...limits, awaitView: true });
      return;
    case 'leave':
      await mailbox.leave('g', { ...limits, awaitView: true });
      return;
    case 'multicast':
      await mailbox.multicast(0x10, 'g', Buffer.from('x'), 0, limits);
      return;
    case 'multicastStream':
      return useSender(mailbox);
    case 'receive':
      for (let i = 0; i < 8; i++) await mailbox.receive({ timeoutMs: 50 });
      return;
    case 'acknowledge':
      await mailbox.acknowledge(1n, limits);
      return;
    case 'poll':
      await mailbox.poll(limits);
      return;
    case 'getMailbox':
      await mailbox.info(limits);
      return;
    case 'getView':
      await mailbox.view('g', limits);
      return;
    case 'listMailboxes': {
      let seen = 0;
      // A list can be endless, so the caller stops.
      for await (const _ of client.listMailboxes('a-token-of-the-admin', limits)) if (++seen > 5) return;
      return;
    }
    case 'getVersion':
      await client.version(limits);
      return;
    case 'connect':
      return;
  }
}

/** A stream has no deadline, so the caller closes it. */
async function useSender(mailbox: Mailbox): Promise<void> {
  const sender = mailbox.sender();
  const timer = setTimeout(() => sender.abort(), CALL_MS);
  try {
    await sender.send(0x10, 'g', Buffer.from('one'));
    await sender.send(0x10, 'g', Buffer.from('two'));
    await sender.close();
  } finally {
    clearTimeout(timer);
    sender.abort();
  }
}

const HEAD = words('h :status: 200', 'h content-type: application/grpc');

function seeds(): Input[] {
  const call = (rpc: Rpc) => Buffer.from([RPCS.indexOf(rpc)]);
  const good = responseSeeds().map(({ rpc, bytes }) => [
    call(rpc),
    ...HEAD,
    framed(bytes),
    ...words('t grpc-status: 0'),
  ]);
  const events = responseSeeds().filter(({ rpc }) => rpc === 'receive');
  const stream = [
    call('receive'),
    ...HEAD,
    ...events.map(({ bytes }) => framed(bytes)),
    ...words('t grpc-status: 0'),
  ];
  const details = Buffer.from(
    rich.RichStatus.encode({
      code: 10,
      message: 'the lease is over',
      details: [
        {
          typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo',
          value: Buffer.from(
            rich.ErrorInfo.encode({
              reason: 'LEASE_EXPIRED',
              domain: 'spread-sidecar',
              metadata: new Map([
                ['last_sequence', '7'],
                ['outcome', 'unknown'],
              ]),
            }).finish(),
          ),
        },
      ],
    }).finish(),
  ).toString('base64');
  const failed = RPCS.flatMap((rpc) => [
    [
      call(rpc),
      ...HEAD,
      ...words('t grpc-status: 10', 't grpc-message: no%20more', `t grpc-status-details-bin: ${details}`),
    ],
    [call(rpc), ...HEAD, ...words('h grpc-status: 14', 'h grpc-message: away')],
    [call(rpc), ...words('h :status: 503', 'h content-type: text/html', '<html>')],
  ]);
  return [...good, stream, stream, stream, ...failed];
}

const WORDS = words(
  ...[
    'reset',
    'goaway',
    'cut',
    't grpc-status: 99',
    't grpc-status: -1',
    't grpc-status: x',
    't grpc-message: %zz%',
  ],
  ...[
    't grpc-status-details-bin: !',
    'h grpc-encoding: gzip',
    'h :status: 101',
    'h :status: 204',
    'h :status: 999',
  ],
  ...['t __proto__: x', 't constructor: y', 'h content-length: 1', `t x: ${'y'.repeat(3000)}`],
);
