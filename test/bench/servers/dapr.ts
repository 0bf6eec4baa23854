import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../support/sidecars/serve-process.js';
import { ServerProcess } from './server-process.js';
import type { OtherServer } from './servers.js';

/** The variable with the path of daprd. */
export const DAPRD = 'DAPRD';

/** The name of the pub/sub component. */
export const DAPR_COMPONENT = 'bench';

const COMPONENT = `apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: ${DAPR_COMPONENT}
spec:
  type: pubsub.in-memory
  version: v1
`;

/** A daprd whose pub/sub keeps messages in its own memory. @param folder - folder for its configuration */
export async function startDaprd(folder: string): Promise<OtherServer> {
  const resources = join(folder, 'dapr');
  mkdirSync(resources, { recursive: true });
  writeFileSync(join(resources, 'pubsub.yaml'), COMPONENT);
  const [port, httpPort, internalPort] = [await freePort(), await freePort(), await freePort()];
  const server = new ServerProcess('server', process.env[DAPRD] ?? '', [
    ...['--app-id', 'bench', '--mode', 'standalone', '--resources-path', resources],
    ...['--dapr-grpc-port', String(port), '--dapr-http-port', String(httpPort)],
    ...['--dapr-internal-grpc-port', String(internalPort), '--dapr-listen-addresses', '127.0.0.1'],
    ...['--dapr-internal-grpc-listen-address', '127.0.0.1'],
    ...['--enable-metrics=false', '--log-level', 'error'],
  ]);
  await server.listens({ host: '127.0.0.1', port });
  return { name: server.name, pid: server.pid, port, stop: () => server.stop() };
}
