import type { CallLimits } from './call.js';
import type { Mailbox } from './mailbox.js';
import type { VersionTriple } from './mailbox-info.js';
import { type MailboxOptions, type SidecarOptions, SpreadSidecar } from './sidecar.js';

/**
 * Opens a mailbox over its own channel. `disconnect()` also closes the channel. To open several mailboxes
 * over one channel, use {@link SpreadSidecar}.
 *
 * @example
 * ```ts
 * const mailbox = await connect({ privateName: 'alice' });
 * await mailbox.join('cats', { awaitView: true });
 * await mailbox.multicast(SAFE_MESS, 'cats', 'hello');
 * for await (const event of mailbox) console.log(event.kind);
 * ```
 */
export async function connect(options: SidecarOptions & MailboxOptions & CallLimits = {}): Promise<Mailbox> {
  const sidecar = new SpreadSidecar(options);
  try {
    return await sidecar.connectOwned(options, () => void sidecar.close({ keepMailboxes: true }));
  } catch (error) {
    await sidecar.close();
    throw error;
  }
}

/** The version that SP_version returns: the release of Spread whose client protocol the sidecar uses. */
export async function version(options: SidecarOptions & CallLimits = {}): Promise<VersionTriple> {
  const sidecar = new SpreadSidecar(options);
  try {
    return (await sidecar.version(options)).clientProtocol;
  } finally {
    await sidecar.close();
  }
}
