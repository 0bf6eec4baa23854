import type { Message } from '../../spread/wire/index.js';
import { CheckedTimer, PauseAwareTimer } from '../../timing/pause-aware-timer.js';
import type { MailboxSession } from './mailbox-session.js';

/** How a daemon is asked whether it still passes messages on. Unit: ms. */
export interface ProbeBounds {
  /** Between two messages. */
  readonly intervalMs: number;
  /** How long one may take. */
  readonly timeoutMs: number;
}

export interface ProbeHooks {
  /** A message came back after this time. */
  onRoundTrip(seconds: number): void;
  /** A message did not come back within the time for it. */
  onTimeout(): void;
}

/** Bytes of a probe's payload: its number. */
const PROBE_BYTES = 8;

/**
 * Sends a session's own private group a small message now and then, and waits for it. A connection that stays open says little:
 * the daemon may be stopped, or its machine lost. Only the session itself gets the message.
 */
export class DaemonProbe {
  readonly #session: MailboxSession;
  readonly #bounds: ProbeBounds;
  readonly #hooks: ProbeHooks;
  readonly #next = new CheckedTimer(() => this.#send());
  #timeout: PauseAwareTimer | undefined;
  #number = 0n;
  #sentAt = 0;
  #isWaiting = false;

  /** @param session - started, or about to be */
  constructor(session: MailboxSession, bounds: ProbeBounds, hooks: ProbeHooks) {
    this.#session = session;
    this.#bounds = bounds;
    this.#hooks = hooks;
  }

  /** Sends the first message. */
  start(): void {
    this.#send();
  }

  /** What the session received. */
  received(message: Message): void {
    if (!this.#isWaiting || message.kind !== 'regular' || message.payload.length !== PROBE_BYTES) return;
    if (message.sender !== this.#session.privateGroup || message.payload.readBigUInt64BE() !== this.#number)
      return;
    this.#isWaiting = false;
    this.#timeout?.cancel();
    this.#next.set(this.#bounds.intervalMs);
    this.#hooks.onRoundTrip((performance.now() - this.#sentAt) / 1000);
  }

  stop(): void {
    this.#isWaiting = false;
    this.#next.clear();
    this.#timeout?.cancel();
  }

  #send(): void {
    const payload = Buffer.alloc(PROBE_BYTES);
    payload.writeBigUInt64BE(++this.#number);
    this.#sentAt = performance.now();
    this.#isWaiting = true;
    this.#timeout = new PauseAwareTimer(this.#bounds.timeoutMs, () => {
      this.stop();
      this.#hooks.onTimeout();
    });
    try {
      this.#session.multicast({
        serviceType: 'RELIABLE',
        selfDiscard: false,
        groups: [this.#session.privateGroup],
        messageType: 0,
        payload,
      });
    } catch {
      // The session was lost. It reports this to its monitor.
      this.stop();
    }
  }
}
