/** The address on which a server listens. */
export type ListenAddress =
  | {
      kind: 'tcp';
      /** An IP address, or a name that the system resolves; the first resolved address is used. */
      host: string;
      /** 0 to 65535. 0 selects a free port. */
      port: number;
      /** Whether a socket for `::` accepts only IPv6 connections. Default: false. */
      ipv6Only?: boolean;
    }
  | {
      kind: 'unix';
      /** Path of the socket file, at most 107 bytes. */
      path: string;
      /** Permission bits of the socket file. Default: 0o600, so only the same user may connect. */
      mode?: number;
      /** The group of the socket file, by name or number. Default: that of the process. */
      group?: string;
    };

/** A Unix socket. */
export type UnixListenAddress = Extract<ListenAddress, { kind: 'unix' }>;

/** The address as a target of gRPC clients: `127.0.0.1:4813`, `[::1]:4813`, `unix:/run/spread.sock`. */
export function formatListenAddress(address: ListenAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
