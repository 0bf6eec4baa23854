import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { SpreadSidecar } from 'spread-sidecar-client';
import type { Input } from '../engine/input.js';

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** One HTTP/2 frame (RFC 9113 §4.1). */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream >>> 0, 5);
  return Buffer.concat([head, payload]);
}

/** Headers as literals without an index (RFC 7541 §6.2.2), so that no frame depends on an earlier one. */
export function literalHeaders(headers: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat(
    Object.entries(headers).map(([name, value]) =>
      Buffer.concat([Buffer.from([0]), hpackString(name), hpackString(value)]),
    ),
  );
}

function hpackString(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const rest = bytes.length - 127;
  return Buffer.concat([Buffer.from([127, (rest & 0x7f) | 0x80, rest >> 7]), bytes]);
}

/** Splits the bytes of a client into the preface and the frames. */
export function cutFrames(bytes: Buffer): Buffer[] {
  const pieces = [bytes.subarray(0, PREFACE.length)];
  for (let at = PREFACE.length; at + 9 <= bytes.length; ) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    pieces.push(bytes.subarray(at, end));
    at = end;
  }
  return pieces;
}

/** Corrects the length field of every frame. */
export function withTrueLengths(input: Input): Buffer[] {
  return input.map((piece) => {
    if (piece.length < 9 || piece.subarray(0, 3).equals(PREFACE.subarray(0, 3))) return piece;
    const copy = Buffer.from(piece);
    copy.writeUIntBE(piece.length - 9, 0, 3);
    return copy;
  });
}

/** The bytes that a real client sends on its connections to a sidecar at `port` while `use` runs. */
export async function record(
  port: number,
  connectTo: (port: number) => SpreadSidecar,
  use: (client: SpreadSidecar) => Promise<void>,
): Promise<Buffer[]> {
  const written: Buffer[][] = [];
  const sockets: Socket[] = [];
  const proxy = createServer((socket) => {
    const chunks: Buffer[] = [];
    written.push(chunks);
    const server = connect(port, '127.0.0.1');
    sockets.push(socket, server);
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => server.destroy());
    server.on('error', () => socket.destroy());
    socket.pipe(server).pipe(socket);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const client = connectTo((proxy.address() as AddressInfo).port);
  try {
    await use(client);
  } finally {
    await client.close().catch(() => {});
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => proxy.close(resolve));
  }
  return written.map((chunks) => Buffer.concat(chunks));
}

/** The final result of a server: the code of its GOAWAY, or the number of answered streams. */
export function describeAnswer(answer: Buffer): string {
  let streams = 0;
  for (let at = 0; at + 9 <= answer.length; at += 9 + answer.readUIntBE(at, 3)) {
    const type = answer[at + 3];
    if (type === 7 && at + 17 <= answer.length) return `goaway ${answer.readUInt32BE(at + 13)}`;
    if (type === 1) streams += 1;
  }
  return streams > 0 ? 'answered' : 'no answer';
}
