import { Session } from '../../server/src/spread/session.js';
import { until } from '../support/until.js';
import type { History } from './history.js';
import { payloadOf } from './payload.js';
import { seenBySession } from './seen.js';

/**
 * The ground truth: a session at the daemon itself, which no fault touches and which is in every group before
 * anybody else.
 */
export class Observer {
  readonly #session: Session;
  readonly #groups: readonly string[];
  readonly #seen = new Set<string>();
  readonly #members = new Map<string, readonly string[]>();
  #lost: Error | undefined;
  #ending = false;

  private constructor(session: Session, groups: readonly string[]) {
    this.#session = session;
    this.#groups = groups;
  }

  static async connect(address: string, groups: readonly string[], makeHistory: (self: string) => History) {
    const session = await Session.connect({ address });
    const observer = new Observer(session, groups);
    const history = makeHistory(session.privateGroup);
    session.start({
      onMessage: (message) => {
        const event = seenBySession(message, session.privateGroup);
        history.add({ kind: 'observed', event });
        if (event.is === 'message' && event.id !== undefined) observer.#seen.add(event.id);
        if (event.is === 'view') observer.#members.set(event.group, event.members);
      },
      onClose: (error) => {
        observer.#lost = error ?? new Error('the observer was closed');
      },
    });
    for (const group of groups) session.join(group);
    await until(() => groups.every((group) => observer.membersOf(group).length > 0), {
      timeoutMs: 10_000,
      what: 'the observer is in its groups',
    });
    return { observer, history };
  }

  /** Whether it got this message. */
  saw(id: string): boolean {
    this.#mustLive();
    return this.#seen.has(id);
  }

  /** Who is in a group now. */
  membersOf(group: string): readonly string[] {
    this.#mustLive();
    return this.#members.get(group) ?? [];
  }

  get privateGroup(): string {
    return this.#session.privateGroup;
  }

  /** Sends a message to all groups at once, behind everything that was sent before. */
  mark(id: string): void {
    this.#session.multicast({
      serviceType: 'SAFE',
      selfDiscard: false,
      groups: [...this.#groups],
      messageType: 0,
      payload: payloadOf(id, 0),
    });
  }

  async end(): Promise<void> {
    this.#ending = true;
    await this.#session.disconnect();
  }

  /** Without ground truth there is no verdict. */
  #mustLive(): void {
    if (this.#lost && !this.#ending)
      throw new Error(`the observer lost the daemon, so there is no verdict: ${this.#lost.message}`);
  }
}
