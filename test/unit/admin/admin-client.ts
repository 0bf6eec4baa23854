import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { type AdminLimits, AdminServer } from '../../../server/src/admin/admin-server.js';
import type { CheckResult } from '../../../server/src/admin/checks.js';
import type { JsonPages } from '../../../server/src/admin/json-pages.js';
import type { StatusPage } from '../../../server/src/admin/page-files.js';
import { HealthBoard } from '../../../server/src/grpc/services/health.js';
import { formatListenAddress } from '../../../server/src/net/listen-address.js';
import { GRPC_BOUNDS } from '../../support/sidecars/grpc-bounds.js';

export async function start(limits: Partial<AdminLimits> = {}, json?: JsonPages, status?: StatusPage) {
  const state = {
    ready: { ok: true } as CheckResult,
    metrics: (): string | Promise<string> => 'spread_up 1\n',
    errors: [] as unknown[],
  };
  const health = new HealthBoard([]);
  health.setServing(true);
  const server = new AdminServer({
    health,
    limits,
    bounds: GRPC_BOUNDS,
    pages: {
      checks: {
        livez: [{ name: 'event-loop', check: () => ({ ok: true }) }],
        readyz: [
          { name: 'listening', check: () => ({ ok: true, message: 'on 1 address' }) },
          { name: 'daemon', check: () => state.ready },
        ],
        startupz: [
          {
            name: 'broken',
            check: () => {
              throw new Error('secret');
            },
          },
        ],
      },
      metrics: async () => ({ contentType: 'text/plain; version=0.0.4', body: await state.metrics() }),
      onError: (error) => state.errors.push(error),
      json,
      status,
    },
  });
  const address = await server.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 });
  onTestFinished(() => server.stop({ graceMs: 0 }));
  const target = formatListenAddress(address);
  const port = address.kind === 'tcp' ? address.port : 0;
  const get = async (path: string, method = 'GET') => {
    const response = await fetch(`http://${target}${path}`, { method });
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      body: await response.text(),
      response,
    };
  };
  return { server, state, health, target, port, get };
}

/** A connection without an HTTP client. */
export function raw(port: number, localAddress = '127.0.0.1') {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  const state = { received: '', closed: false, socket };
  socket.on('data', (chunk) => {
    state.received += chunk.toString('latin1');
  });
  socket.on('close', () => {
    state.closed = true;
  });
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  return state as { received: string; closed: boolean; socket: Socket };
}

/** Whether a connection is served; sends one request. */
export function answered(client: ReturnType<typeof raw>): boolean {
  if (client.socket.bytesWritten === 0) client.socket.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n');
  return client.received.endsWith('ok\n');
}
