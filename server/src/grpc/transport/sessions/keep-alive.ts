import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import { CheckedTimer, PauseAwareTimer } from '../../../timing/pause-aware-timer.js';
import { http2ServersOf } from '../internals.js';

export interface KeepAliveBounds {
  /** Time of silence after which a connection gets a PING. Unit: ms. 0 = never. */
  readonly keepaliveTimeMs: number;
  /** Time limit for the client's response. Unit: ms. */
  readonly keepaliveTimeoutMs: number;
  /** Time after which a connection without calls is closed. Unit: ms. 0 = never. */
  readonly maxConnectionIdleMs: number;
}

/**
 * Closes connections of lost clients, and unused connections. grpc-js can do both, but its timers count a pause of
 * this process as silence of the client: after the pause they fire before the responses are read that arrived
 * meanwhile.
 *  Call it after the server's injector or listeners were created.
 */
export function keepAlive(server: Server, bounds: KeepAliveBounds): void {
  for (const http2Server of http2ServersOf(server)) {
    http2Server.on('session', (session: ServerHttp2Session) => {
      if (bounds.keepaliveTimeMs > 0) pingWhenSilent(session, bounds);
      if (bounds.maxConnectionIdleMs > 0) closeWhenIdle(session, bounds.maxConnectionIdleMs);
    });
  }
}

function pingWhenSilent(session: ServerHttp2Session, bounds: KeepAliveBounds): void {
  const connection = session.socket;
  let bytesRead = connection.bytesRead;
  let answer: PauseAwareTimer | undefined;
  const silence = new CheckedTimer((late) => {
    if (session.destroyed) return;
    // Input that arrived during a pause is not counted yet.
    if (late || connection.bytesRead !== bytesRead) {
      bytesRead = connection.bytesRead;
      silence.set(bounds.keepaliveTimeMs);
      return;
    }
    ping();
  });
  const ping = (): void => {
    answer = new PauseAwareTimer(bounds.keepaliveTimeoutMs, () => session.destroy());
    try {
      session.ping((error) => {
        answer?.cancel();
        if (error || session.destroyed) return;
        bytesRead = connection.bytesRead;
        silence.set(bounds.keepaliveTimeMs);
      });
    } catch {
      answer.cancel();
    }
  };
  silence.set(bounds.keepaliveTimeMs);
  session.once('close', () => {
    silence.clear();
    answer?.cancel();
  });
}

function closeWhenIdle(session: ServerHttp2Session, idleMs: number): void {
  let calls = 0;
  const idle = new CheckedTimer((late) => {
    if (calls > 0 || session.destroyed) return;
    if (late) idle.set(idleMs);
    // Rejects calls in flight, which clients repeat on another connection.
    else session.close();
  });
  idle.set(idleMs);
  session.on('stream', (stream: ServerHttp2Stream) => {
    calls++;
    idle.clear();
    stream.once('close', () => {
      calls--;
      if (calls === 0 && !session.destroyed) idle.set(idleMs);
    });
  });
  session.once('close', () => idle.clear());
}
