import type { ConnectionIdentity } from '../transport/connection-identity.js';

/**
 * Whose limits a call counts in: who its credential says that it is; else, over TCP and TLS, the address that it comes from.
 * A Unix socket tells nothing about its clients, so without credentials they are all one.
 *
 * @param caller the call's identity, which is the connection's where it has no credential
 */
export function clientOf(
  caller: string,
  connection: ConnectionIdentity,
  remoteAddress: string | undefined,
): string {
  if (caller !== connection || caller.startsWith('certificate:') || remoteAddress === undefined)
    return caller;
  return `${caller} ${remoteAddress}`;
}
