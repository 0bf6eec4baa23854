import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { formatAddress, type SpreadAddress } from './address.js';
import { DirectSocket } from './direct-socket.js';
import { SpreadError } from './spread-error.js';

/**
 * Creates the stream to a daemon and starts to connect it. A stream that is not a connecting Socket counts as
 * open.
 */
export type SocketFactory = (address: SpreadAddress) => Duplex;

/**
 * Bytes that may wait for the kernel before a send returns false, so that its caller pauses. Default of
 * `sendHighWaterMark`.
 */
const SEND_HIGH_WATER_MARK = 256 * 1024;
/**
 * Idle time after which the kernel checks whether the daemon still exists, because the protocol has no heartbeat.
 */
const KEEP_ALIVE_MS = 60_000;

/** The default factory: TCP with no delay and keepalive, or a Unix socket. */
export function netSocketFactory(sendHighWaterMark = SEND_HIGH_WATER_MARK): SocketFactory {
  return (address) => {
    const socket = new DirectSocket(sendHighWaterMark);
    if (address.kind === 'unix') return socket.connect({ path: address.path });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    return socket.connect({ host: address.host, port: address.port });
  };
}

/**
 * Resolves when `stream` is connected. Rejects with SpreadError ILLEGAL_SPREAD for an unknown host and
 * COULD_NOT_CONNECT for any other failure, like Spread's own library.
 */
export function connected(stream: Duplex, address: SpreadAddress): Promise<void> {
  if (!(stream instanceof Socket) || !(stream.connecting || stream.destroyed)) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const onConnect = (): void => {
      stop();
      resolve();
    };
    const onError = (error: unknown): void => {
      stop();
      reject(connectError(error, address));
    };
    const onClose = (): void => onError(new Error('the socket was closed'));
    const stop = (): void => {
      stream.off('connect', onConnect);
      stream.off('error', onError);
      stream.off('close', onClose);
    };
    stream.on('connect', onConnect);
    stream.on('error', onError);
    stream.on('close', onClose);
  });
}

function connectError(error: unknown, address: SpreadAddress): SpreadError {
  const name = formatAddress(address);
  // For several addresses of one host, Node collects the error of each.
  const first = error instanceof AggregateError ? error.errors[0] : error;
  const code = (first as NodeJS.ErrnoException | undefined)?.code;
  const why = first instanceof Error ? first.message : String(first);
  if (code === 'ENOTFOUND' && address.kind === 'tcp') {
    return new SpreadError(
      'ILLEGAL_SPREAD',
      `the host ${address.host} of the daemon's Spread name ${name} is unknown`,
      {
        field: 'daemon',
        cause: error,
      },
    );
  }
  return new SpreadError('COULD_NOT_CONNECT', `cannot connect to the daemon at ${name}: ${why}`, {
    cause: error,
  });
}
