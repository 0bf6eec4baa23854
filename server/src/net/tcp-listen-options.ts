import type { ListenOptions } from 'node:net';

/**
 * A TCP address in the form of `server.listen()`. Without a host, Node listens on `::`, or on 0.0.0.0 where the kernel has no IPv6.
 * With the host `::`, Node would fail there.
 */
export function tcpListenOptions(host: string, port: number | undefined, ipv6Only: boolean): ListenOptions {
  return { port, ipv6Only, ...(host === '::' && !ipv6Only ? {} : { host }) };
}
