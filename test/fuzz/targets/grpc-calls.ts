import { type Mailbox, SpreadError } from 'spread-sidecar-client';
import { MailboxServiceService } from 'spread-sidecar-proto';
import { type Subject, type Target, Violation } from '../engine/target.js';
import { judge } from '../network/grpc-status.js';
import { framed, Http2Channel, http2Call } from '../network/http2-call.js';
import { startFuzzedSidecar } from '../network/sidecar.js';
import { MAILBOX_ID, REQUEST_SEEDS, RPCS, type Rpc } from './request-seeds.js';

/**
 * Pieces: the call (first byte), then its messages. The ID in the seeds is replaced by that of an open mailbox.
 */
export const grpcCalls: Target = {
  name: 'grpc-calls',
  text: 'the requests of all 13 calls, unary and streaming, sent to a sidecar',
  kind: 'network',
  chunk: 400,
  lanes: 16,
  open: openCalls,
};

/** The calls have a deadline of 3 s. */
const PATIENCE_MS = 5000;

const STREAMS = new Set<Rpc>(['multicastStream', 'receive']);

async function openCalls(): Promise<Subject> {
  const sidecar = await startFuzzedSidecar();
  const channel = new Http2Channel(`http://127.0.0.1:${sidecar.grpcPort}`);
  const client = sidecar.client();
  let mailbox: Mailbox | undefined = await client.connect();
  const seeds = REQUEST_SEEDS.map(({ rpc, bytes }) => [Buffer.from([RPCS.indexOf(rpc)]), bytes]);
  const stream = REQUEST_SEEDS.filter(({ rpc }) => rpc === 'multicastStream').map(({ bytes }) => bytes);
  const open = stream[0]!;
  for (let i = 0; i < 4; i++)
    seeds.push([Buffer.from([RPCS.indexOf('multicastStream')]), open, ...stream.slice(1)]);
  return {
    material: { seeds, words: [], maxPieces: 8, maxPieceBytes: 8192 },
    run: async ([first = Buffer.alloc(0), ...messages]) => {
      const rpc = RPCS[(first[0] ?? 0) % RPCS.length]!;
      const bodies = rpc === 'multicastStream' ? messages : [Buffer.concat(messages)];
      const answer = await http2Call(channel, {
        headers: {
          ':method': 'POST',
          ':path': MailboxServiceService[rpc].path,
          'content-type': 'application/grpc',
          te: 'trailers',
          'grpc-timeout': '3S',
        },
        data: bodies.map((body) => framed(withId(body, mailbox?.id ?? MAILBOX_ID))),
        end: true,
        cancelAtData: rpc === 'receive',
        patienceMs: PATIENCE_MS,
      });
      if (answer.late) throw new Violation(`${rpc} was not answered within ${PATIENCE_MS} ms`);
      if (rpc === 'connect' && answer.code === 0) await disconnect(channel, answer.data);
      return `${STREAMS.has(rpc) ? rpc : 'unary'} ${judge(answer, { richly: true })}`;
    },
    settle: async () => {
      await sidecar.isUnharmed();
      // An input may have ended the mailbox.
      const alive = await mailbox?.poll().then(
        () => true,
        (error) => !(error instanceof SpreadError),
      );
      if (!alive) {
        mailbox?.detach();
        mailbox = await client.connect();
      }
      await mailbox!.join('chat');
    },
    stop: async () => {
      await channel.close();
      await client.close().catch(() => {});
      await sidecar.stop();
    },
  };
}

function withId(body: Buffer, id: string): Buffer {
  const at = body.indexOf(MAILBOX_ID);
  if (at < 0) return body;
  const copy = Buffer.from(body);
  copy.write(id, at, 'latin1');
  return copy;
}

/** A mailbox that an input opened is disconnected instead of waiting for its lease. */
async function disconnect(channel: Http2Channel, answer: Buffer): Promise<void> {
  const { mailboxId } = MailboxServiceService.connect.responseDeserialize(answer.subarray(5));
  const { path, requestSerialize } = MailboxServiceService.disconnect;
  await http2Call(channel, {
    headers: { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' },
    data: [framed(requestSerialize({ mailboxId, leaveGroupsFirst: false, abort: true }))],
    end: true,
    patienceMs: 5000,
  });
}
