import { onTestFinished } from 'vitest';
import { RawHttp2, type RawHttp2Options } from '../network/raw-http2.js';
import type { SecuredSidecar } from './secured-sidecar.js';

/** The number of rejections because of a limit, from the sidecar's metrics. */
export async function refusals(sidecar: SecuredSidecar, limit: string): Promise<number> {
  const page = await sidecar.metrics();
  return Number(new RegExp(`limit_refusals_total\\{limit="${limit}"\\} (\\d+)`).exec(page)?.[1]);
}

/** A raw client of the sidecar's first address, which is closed at the end of the running test. */
export async function rawClient(sidecar: SecuredSidecar, options?: RawHttp2Options): Promise<RawHttp2> {
  const [target = ''] = sidecar.targets;
  const to = target.startsWith('unix:')
    ? { path: target.slice('unix:'.length) }
    : { host: '127.0.0.1', port: Number(target.split(':').at(-1)) };
  const raw = await RawHttp2.connect(to, options);
  onTestFinished(() => void raw.socket.destroy());
  return raw;
}
