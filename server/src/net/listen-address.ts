/** Where a server listens. */
export type ListenAddress =
  | {
      kind: 'tcp';
      /** An IP address, or a name that the system resolves; the first address it gives is taken. */
      host: string;
      /** 0 to 65535; 0 takes a free one. */
      port: number;
      /** Whether a socket for `::` takes no IPv4 connections. Default: false, it takes them too. */
      ipv6Only?: boolean;
    }
  | {
      kind: 'unix';
      /** Path of the socket file, at most 107 bytes. */
      path: string;
      /** Permission bits of the socket file. Default 0o600: only the same user may connect. */
      mode?: number;
      /** Its group, by name or number. Default: that of the process. */
      group?: string;
    };

/** A Unix socket. */
export type UnixListenAddress = Extract<ListenAddress, { kind: 'unix' }>;

/** The address as gRPC clients take it: `127.0.0.1:4813`, `[::1]:4813`, `unix:/run/spread.sock`. */
export function formatListenAddress(address: ListenAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
