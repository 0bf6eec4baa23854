import type { OutgoingHttpHeaders } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { MailboxServiceService } from 'spread-sidecar-proto';
import type { Input } from '../engine/input.js';
import type { Target } from '../engine/target.js';
import { words } from '../engine/text.js';
import { judge } from '../network/grpc-status.js';
import { framed, Http2Channel, http2Call } from '../network/http2-call.js';
import { startFuzzedSidecar } from '../network/sidecar.js';
import { REQUEST_SEEDS } from './request-seeds.js';

/**
 * Pieces that begin with `h ` are headers, the others the bytes of the body. `open` leaves the client's side open.
 */
export const grpcFrames: Target = {
  name: 'grpc-frames',
  text: "gRPC's own framing: headers, timeouts, content types, encodings, prefixes, several and cut messages",
  kind: 'network',
  chunk: 400,
  lanes: 16,
  open: async () => {
    const sidecar = await startFuzzedSidecar();
    const channel = new Http2Channel(`http://127.0.0.1:${sidecar.grpcPort}`);
    return {
      material: { seeds: seeds(), words: WORDS, maxPieces: 24, maxPieceBytes: 4096 },
      run: async (input) => {
        const { headers, data } = parse(input);
        try {
          const answer = await http2Call(channel, {
            headers,
            data,
            end: !isOpen(input),
            patienceMs: isOpen(input) ? 50 : 300,
          });
          return answer.late && answer.code === undefined ? 'no answer in time' : judge(answer);
        } catch (error) {
          // An error of node:http2 on the client's side. The target http2 sends what this client rejects.
          const { code = '' } = error as NodeJS.ErrnoException;
          if (/^ERR_(HTTP2|INVALID_CHAR|INVALID_HTTP_TOKEN|INVALID_ARG)/.test(code))
            return `not sent: ${code}`;
          throw error;
        }
      },
      settle: () => sidecar.isUnharmed(),
      quiet: () => sidecar.quiet(),
      stop: async () => {
        await channel.close();
        await sidecar.stop();
      },
    };
  },
};

const isOpen = (input: Input) => input.some((piece) => piece.equals(Buffer.from('open')));

const WORDS = words(
  ...[
    'h grpc-timeout: 1n',
    'h grpc-timeout: 99999999H',
    'h grpc-timeout: 0S',
    'h grpc-timeout: -1S',
    'h grpc-timeout: ',
  ],
  ...[
    'h grpc-encoding: gzip',
    'h grpc-encoding: deflate',
    'h grpc-encoding: br',
    'h grpc-encoding: identity',
  ],
  ...[
    'h grpc-accept-encoding: gzip,,x',
    'h content-type: application/grpc+json',
    'h content-type: text/html',
  ],
  ...[
    'h x-bin: !!!',
    'h x-bin: ',
    'h authorization: Bearer ',
    'h authorization: Basic x',
    'h te: gzip',
    'h content-length: 5',
  ],
  ...[
    'h :path: /',
    'h :path: //',
    'h :path: /a/b/c',
    'h :method: GET',
    'h :method: CONNECT',
    'h expect: 100-continue',
  ],
  ...[
    'h grpc-previous-rpc-attempts: 9',
    'h grpc-status: 0',
    'h __proto__: x',
    'h constructor: y',
    `h x: ${'y'.repeat(3000)}`,
  ],
  'open',
);

function seeds(): Input[] {
  const base = (path: string) => [
    ...['h :method: POST', `h :path: ${path}`, 'h content-type: application/grpc', 'h te: trailers'],
    'h grpc-timeout: 2S',
  ];
  const calls = REQUEST_SEEDS.map(({ rpc, bytes }) => [
    ...words(...base(MailboxServiceService[rpc].path)),
    framed(bytes),
  ]);
  const version = MailboxServiceService.getVersion.path;
  return [
    ...calls,
    [...words(...base(version), 'h grpc-encoding: gzip'), framed(gzipSync(Buffer.alloc(0)), 1)],
    [...words(...base(version), 'h grpc-encoding: gzip'), framed(gzipSync(Buffer.alloc(5_000_000)), 1)],
    [...words(...base(version)), framed(Buffer.alloc(0)), framed(Buffer.alloc(0))],
    [...words(...base(version)), Buffer.from([0, 0xff, 0xff, 0xff, 0xff])],
    words(...base('/grpc.health.v1.Health/Check'), '\0\0\0\0\0'),
    words(...base('/grpc.reflection.v1.ServerReflection/ServerReflectionInfo'), '\0\0\0\0\x02:\0'),
    words(...base('/spread.sidecar.v1.MailboxService/Nothing'), '\0\0\0\0\0'),
  ];
}

function parse(input: Input): { headers: OutgoingHttpHeaders; data: Buffer[] } {
  const headers: Record<string, string | string[]> = {};
  const data: Buffer[] = [];
  for (const piece of input) {
    if (!piece.subarray(0, 2).equals(Buffer.from('h '))) {
      data.push(piece);
      continue;
    }
    const line = piece.toString('latin1', 2);
    const colon = line.indexOf(':', 1);
    const name = (colon < 0 ? line : line.slice(0, colon)).toLowerCase();
    const value = colon < 0 ? '' : line.slice(colon + 1).trim();
    const known = Object.hasOwn(headers, name) ? headers[name] : undefined;
    const next = known === undefined || name.startsWith(':') ? value : [known, value].flat();
    Object.defineProperty(headers, name, {
      value: next,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return { headers, data };
}
