import { connect as connectTls } from 'node:tls';
import { SpreadSidecar } from 'spread-sidecar-client';
import { MailboxServiceService } from 'spread-sidecar-proto';
import type { Random } from '../../chaos/random.js';
import type { Input } from '../engine/input.js';
import { type Material, mutate } from '../engine/mutator.js';
import type { Subject, Target } from '../engine/target.js';
import { words } from '../engine/text.js';
import { framed } from '../network/http2-call.js';
import {
  cutFrames,
  describeAnswer,
  frame,
  literalHeaders,
  PREFACE,
  record,
  withTrueLengths,
} from '../network/http2-frames.js';
import { open, say } from '../network/raw-connection.js';
import { type FuzzedSidecar, startFuzzedSidecar } from '../network/sidecar.js';

const PATIENCE_MS = 40;

/** Pieces: the preface, then frames. */
export const http2: Target = {
  name: 'http2',
  text: 'HTTP/2 frames on a TCP connection to the gRPC listener',
  kind: 'network',
  chunk: 300,
  lanes: 24,
  open: async () => {
    const sidecar = await startFuzzedSidecar();
    const material = { ...MATERIAL, seeds: [...frameSeeds(), ...(await recordings(sidecar))] };
    return {
      ...subjectOf(sidecar, material),
      run: async (input) => {
        const socket = await open({ host: '127.0.0.1', port: sidecar.grpcPort });
        const result = await say(socket, input, { patienceMs: PATIENCE_MS });
        return `${describeAnswer(result.answer)}${result.closed ? ', closed' : ''}`;
      },
    };
  },
};

/** Pieces: TLS records to a TLS listener. If the first piece is `inside`, HTTP/2 frames inside TLS. */
export const tls: Target = {
  name: 'tls',
  text: 'TLS records to a TLS listener, and HTTP/2 frames inside TLS',
  kind: 'network',
  chunk: 200,
  lanes: 16,
  open: async () => {
    const sidecar = await startFuzzedSidecar({ tls: true });
    const to = { host: '127.0.0.1', port: sidecar.grpcPort };
    const hello = await recordHandshake(sidecar);
    const inside = frameSeeds().map((input) => [Buffer.from('inside'), ...input]);
    const plain = words('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    const seeds = [...hello, ...hello, ...hello, ...inside, plain, [PREFACE]];
    return {
      ...subjectOf(sidecar, { ...MATERIAL, seeds }),
      run: async (input) => {
        const socket = await open(to);
        const [first, ...rest] = input;
        if (!first?.equals(Buffer.from('inside'))) {
          const result = await say(socket, input, { patienceMs: PATIENCE_MS });
          const [type = 0] = result.answer;
          return `record ${result.bytes > 0 ? type : 'none'}${result.closed ? ', closed' : ''}`;
        }
        const secure = connectTls({
          socket,
          ca: sidecar.authority,
          servername: 'localhost',
          host: '127.0.0.1',
          ALPNProtocols: ['h2'],
        });
        secure.on('error', () => {});
        await new Promise((resolve) => {
          secure.once('secureConnect', resolve);
          secure.once('close', resolve);
        });
        const result = await say(secure, rest, { patienceMs: PATIENCE_MS });
        socket.destroy();
        return `inside: ${describeAnswer(result.answer)}`;
      },
    };
  },
};

/** Pieces: the bytes of a client of the admin port, HTTP/1 or HTTP/2. */
export const admin: Target = {
  name: 'admin',
  text: 'the admin port: HTTP/1 and HTTP/2 in one, distinguished by the first bytes',
  kind: 'network',
  chunk: 300,
  lanes: 24,
  open: async () => {
    const sidecar = await startFuzzedSidecar();
    const port = Number(sidecar.admin.split(':').at(-1));
    const material = { ...MATERIAL, words: HTTP_WORDS, seeds: [...HTTP_SEEDS, ...frameSeeds()] };
    return {
      ...subjectOf(sidecar, material),
      run: async (input) => {
        const result = await say(await open({ host: '127.0.0.1', port }), input, { patienceMs: PATIENCE_MS });
        const line = /^HTTP\/1\.1 (\d+)/.exec(result.answer.toString('latin1', 0, 20));
        if (line) return `http ${line[1]}${result.closed ? ', closed' : ''}`;
        return `${describeAnswer(result.answer)}${result.closed ? ', closed' : ''}`;
      },
    };
  },
};

function subjectOf(sidecar: FuzzedSidecar, material: Material): Omit<Subject, 'run'> {
  return {
    material,
    generate: (random: Random): Input => {
      const input = mutate(random, material);
      return random.chance(0.6) && !isText(input) ? withTrueLengths(input) : input;
    },
    settle: () => sidecar.isUnharmed(),
    quiet: () => sidecar.quiet(),
    stop: () => sidecar.stop(),
  };
}

/** HTTP/1 and TLS have no frames whose lengths could be corrected. */
const isText = ([first = Buffer.alloc(0)]: Input) => !first.subarray(0, 3).equals(PREFACE.subarray(0, 3));

const MATERIAL: Material = {
  seeds: [],
  words: [
    PREFACE,
    frame(4, 1, 0),
    frame(9, 4, 1, Buffer.from([0x82])),
    Buffer.from([0x3f, 0xe1, 0xff, 0x03]),
  ],
  maxPieces: 40,
  maxPieceBytes: 20_000,
};

function frameSeeds(): Input[] {
  const headers = (path: string, more: Record<string, string> = {}) =>
    literalHeaders({
      ':method': 'POST',
      ':scheme': 'http',
      ':path': path,
      ':authority': 'localhost',
      'content-type': 'application/grpc',
      te: 'trailers',
      ...more,
    });
  const { path } = MailboxServiceService.getVersion;
  const setting = (id: number, value: number) => {
    const bytes = Buffer.alloc(6);
    bytes.writeUInt16BE(id, 0);
    bytes.writeUInt32BE(value, 2);
    return bytes;
  };
  const start = [PREFACE, frame(4, 0, 0), frame(4, 1, 0)];
  const call = (stream: number, whole: string = path) => [
    frame(1, 4, stream, headers(whole)),
    frame(0, 1, stream, framed(Buffer.alloc(0))),
  ];
  const word = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value >>> 0);
    return bytes;
  };
  const block = headers(path, { 'x-long': 'y'.repeat(300) });
  return [
    [...start, ...call(1), ...call(3), ...call(5)],
    [...start, ...call(1, '/grpc.health.v1.Health/Watch'), frame(3, 0, 1, word(8))],
    [
      ...start,
      frame(1, 0, 1, block.subarray(0, 50)),
      frame(9, 0, 1, block.subarray(50, 90)),
      frame(9, 4, 1, block.subarray(90)),
      frame(0, 1, 1, framed(Buffer.alloc(0))),
    ],
    [
      ...start,
      frame(
        1,
        0x2c,
        1,
        Buffer.concat([Buffer.from([3]), word(0), Buffer.from([9]), headers(path), Buffer.alloc(3)]),
      ),
      frame(0, 9, 1, Buffer.concat([Buffer.from([2]), framed(Buffer.alloc(0)), Buffer.alloc(2)])),
    ],
    [
      PREFACE,
      frame(
        4,
        0,
        0,
        Buffer.concat([
          setting(1, 0),
          setting(2, 0),
          setting(3, 100),
          setting(4, 0x7fffffff),
          setting(5, 16_384),
          setting(6, 100),
        ]),
      ),
      ...call(1),
    ],
    [
      PREFACE,
      frame(4, 0, 0, setting(4, 0)),
      ...call(1),
      frame(8, 0, 0, word(100)),
      frame(8, 0, 1, word(1)),
      frame(8, 0, 1, word(0x7fffffff)),
    ],
    [...start, frame(6, 0, 0, Buffer.from('pingpong')), frame(6, 1, 0, Buffer.from('pingpong')), ...call(1)],
    [
      ...start,
      frame(2, 0, 1, Buffer.concat([word(3), Buffer.from([16])])),
      ...call(1),
      frame(3, 0, 1, word(0)),
      ...call(3),
    ],
    [...start, ...call(1), frame(7, 0, 0, Buffer.concat([word(1), word(0), Buffer.from('bye')]))],
    [
      ...start,
      frame(5, 4, 1, Buffer.concat([word(2), headers(path)])),
      frame(0xff, 0xff, 0xff, Buffer.from('?')),
    ],
    [
      ...start,
      ...Array.from({ length: 20 }, (_, i) => [
        frame(1, 4, 2 * i + 1, headers(path)),
        frame(3, 0, 2 * i + 1, word(8)),
      ]).flat(),
    ],
  ];
}

const HTTP_WORDS = words(
  ...[
    'GET ',
    'HEAD ',
    'POST ',
    'PRI * HTTP/2.0\r\n\r\n',
    '/metrics',
    '/readyz?verbose',
    '\r\n',
    '\r\n\r\n',
    ' HTTP/1.1',
  ],
  ...[
    'transfer-encoding: chunked\r\n',
    'content-length: 5\r\n',
    'content-length: -1\r\n',
    'connection: close\r\n',
  ],
  ...[
    'expect: 100-continue\r\n',
    'upgrade: h2c\r\n',
    'host: a\r\n',
    '%00',
    '..',
    '?',
    '\0',
    `x: ${'y'.repeat(9000)}\r\n`,
  ],
);

const HTTP_SEEDS: Input[] = [
  words('GET /metrics HTTP/1.1\r\n', 'host: a\r\n', '\r\n'),
  words(
    'GET /readyz?verbose=1 HTTP/1.1\r\nhost: a\r\n\r\n',
    'GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
  ),
  words('HEAD /startupz HTTP/1.0\r\n\r\n'),
  words(
    'POST /metrics HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n',
    '5\r\nhello\r\n',
    '0\r\n\r\n',
  ),
  words('GET / HTTP/1.1\r\nhost: a\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n'),
  words('OPTIONS * HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc'),
  words('PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n', 'GET /livez HTTP/1.1\r\nhost: a\r\n\r\n'),
];

/** The bytes of the TypeScript client when it uses a little of everything. */
async function recordings(sidecar: FuzzedSidecar): Promise<Input[]> {
  const written = await record(
    sidecar.grpcPort,
    (port) => new SpreadSidecar({ target: `127.0.0.1:${port}` }),
    async (client) => {
      await client.version();
      const mailbox = await client.connect({ autoReceive: true });
      await mailbox.join('g', { awaitView: true });
      await mailbox.multicast(0x10, 'g', Buffer.from('hello'));
      while ((await mailbox.receive()).kind !== 'regular');
      const sender = mailbox.sender();
      await sender.send(0x10, 'g', Buffer.from('streamed'));
      await sender.close();
      await mailbox.disconnect();
    },
  );
  return written.map(cutFrames);
}

/** The records of a client whose handshake succeeds. */
async function recordHandshake(sidecar: FuzzedSidecar): Promise<Input[]> {
  const written = await record(
    sidecar.grpcPort,
    (port) => new SpreadSidecar({ target: `127.0.0.1:${port}`, tls: { ca: sidecar.authority } }),
    async (client) => {
      await client.version();
    },
  );
  return written.map((bytes) => {
    const records: Buffer[] = [];
    for (let at = 0; at + 5 <= bytes.length; ) {
      const end = at + 5 + bytes.readUInt16BE(at + 3);
      records.push(bytes.subarray(at, end));
      at = end;
    }
    return records;
  });
}
