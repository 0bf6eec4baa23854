import { isIPv4, isIPv6 } from 'node:net';
import type { OptionKey, SidecarConfig } from './options.js';
import type { TcpAddress, UnixAddress } from './values/addresses.js';

/** A listen address of the sidecar, and the option that sets it. */
export interface PlannedAddress {
  readonly option: Extract<OptionKey, 'grpc.listen' | 'admin.listen' | 'embedded.listen' | 'embedded.socket'>;
  readonly address: TcpAddress | UnixAddress;
}

/** All listen addresses of the sidecar. */
export function plannedAddresses({ grpc, admin, embedded }: SidecarConfig): PlannedAddress[] {
  const all: PlannedAddress[] = grpc.listen.map((address) => ({ option: 'grpc.listen', address }));
  if (admin.listen !== 'off') all.push({ option: 'admin.listen', address: admin.listen });
  if (!embedded.enabled) return all;
  if (embedded.listen !== 'off') all.push({ option: 'embedded.listen', address: embedded.listen });
  const path = embedded.socket === 'auto' ? automaticSocket(embedded.listen) : embedded.socket;
  if (path !== 'off') all.push({ option: 'embedded.socket', address: { kind: 'unix', path } });
  return all;
}

/**
 * Whether a socket for this address accepts only IPv6 connections. `[::]` also accepts IPv4, unless the same list
 * has an IPv4 address with the same port, because the system does not allow both.
 */
export function isIpv6Only(address: TcpAddress, list: readonly (TcpAddress | UnixAddress)[]): boolean {
  if (address.host !== '::') return false;
  return list.some((other) => other.kind === 'tcp' && other.port === address.port && isIPv4(other.host));
}

/** Whether connections to `inner` also arrive at a socket for `outer`. Host names are not resolved. */
export function includes(outer: TcpAddress, inner: TcpAddress): boolean {
  if (outer.port !== inner.port) return false;
  if (outer.host === inner.host) return true;
  if (outer.host === '0.0.0.0') return isIPv4(inner.host) || isMapped(inner.host);
  return outer.host === '::' && (isIPv6(inner.host) || isIPv4(inner.host));
}

const isMapped = (host: string) => /^::ffff:\d+\.\d+\.\d+\.\d+$/.test(host);

const automaticSocket = (listen: TcpAddress | 'off') =>
  listen === 'off' || listen.port === 0 ? 'off' : `/tmp/${listen.port}`;
