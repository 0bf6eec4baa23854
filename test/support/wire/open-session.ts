import { onTestFinished } from 'vitest';
import { Session } from '../../../server/src/spread/session.js';
import type { SessionOptions } from '../../../server/src/spread/session-options.js';
import {
  acceptScript,
  type DaemonStep,
  type ScriptedDaemon,
  scriptedDaemon,
} from '../daemons/scripted-daemon.js';

/** A session as member `a`, with a daemon that plays `script` after the handshake. */
export async function openSession(
  script: readonly DaemonStep[],
  options: Partial<SessionOptions> = {},
): Promise<{ session: Session; daemon: ScriptedDaemon }> {
  const daemon = await scriptedDaemon([[...acceptScript('a'), ...script]]);
  const session = await Session.connect({ address: daemon.address, privateName: 'a', ...options });
  onTestFinished(() => session.abort());
  return { session, daemon };
}

/** Size of the handshake of `openSession`. Unit: bytes. */
export const HANDSHAKE_BYTES = 6 + 90;
