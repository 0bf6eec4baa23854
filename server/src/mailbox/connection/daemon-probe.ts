import type { Message } from '../../spread/wire/index.js';
import { CheckedTimer, PauseAwareTimer } from '../../timing/pause-aware-timer.js';
import type { MailboxSession } from './mailbox-session.js';

/** How the monitor checks that a daemon forwards messages. Unit: ms. */
export interface ProbeBounds {
  /** Pause between two messages. */
  readonly intervalMs: number;
  /** Time limit for one message. */
  readonly timeoutMs: number;
}

export interface ProbeHooks {
  /** A message came back after this time. */
  onRoundTrip(seconds: number): void;
  /** A message did not come back within the time limit. */
  onTimeout(): void;
}

/** Payload size of a probe: its number. Unit: bytes. */
const PROBE_BYTES = 8;

/**
 * Periodically sends a small message to a session's own private group, and waits for it. An open connection alone
 * is not sufficient: the daemon may be stopped, or its machine lost. Only the session itself receives the message.
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

  /** Processes a message that the session received. */
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
