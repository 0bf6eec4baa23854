import { Session } from '../../server/src/spread/session.js';
import { until } from '../support/until.js';
import type { History } from './history.js';
import { payloadOf } from './payload.js';
import { seenBySession } from './seen.js';

/** A newly started real daemon delays joins for some seconds. Unit: ms. */
const JOIN_MS = 20_000;

export interface ObserverOptions {
  readonly address: string;
  readonly groups: readonly string[];
  readonly history: History;
  /** Unique in the round. */
  readonly number: number;
  /** Called when the daemon has ended, but not after `end`. */
  readonly onLost: (error: Error) => void;
}

/**
 * The reference of the checks: a session at a daemon itself, without a faulty link. It joins every group
 * before any other session of that daemon.
 */
export class Observer {
  readonly #session: Session;
  readonly #groups: readonly string[];
  readonly #seen = new Set<string>();
  readonly #members = new Map<string, readonly string[]>();
  #ended = false;

  private constructor(session: Session, groups: readonly string[]) {
    this.#session = session;
    this.#groups = groups;
  }

  /** Resolves when it has joined all its groups. Rejects if the daemon is unreachable or ends meanwhile. */
  static async connect({ address, groups, history, number, onLost }: ObserverOptions): Promise<Observer> {
    const session = await Session.connect({ address, timeoutMs: 3000 });
    const observer = new Observer(session, groups);
    let lost: Error | undefined;
    let joined = false;
    history.add({ kind: 'observer', number, privateGroup: session.privateGroup });
    session.start({
      onMessage: (message) => {
        const event = seenBySession(message, session.privateGroup);
        history.add({ kind: 'observed', by: number, event });
        if (event.is === 'message' && event.id !== undefined) observer.#seen.add(event.id);
        if (event.is === 'view') observer.#members.set(event.group, event.members);
      },
      onClose: (error) => {
        if (observer.#ended) return;
        lost = error ?? new Error('the observer was closed');
        history.add({ kind: 'observerLost', number });
        if (joined) onLost(lost);
      },
    });
    for (const group of groups) session.join(group);
    try {
      await until(
        () => {
          if (lost) throw lost;
          return groups.every((group) => observer.membersOf(group).length > 0);
        },
        { timeoutMs: JOIN_MS, what: `the observer at ${address} is in its groups` },
      );
    } catch (error) {
      if (!lost) await observer.end();
      throw error;
    }
    joined = true;
    return observer;
  }

  /** Whether it received this message. */
  saw(id: string): boolean {
    return this.#seen.has(id);
  }

  /** The current members of a group. */
  membersOf(group: string): readonly string[] {
    return this.#members.get(group) ?? [];
  }

  get privateGroup(): string {
    return this.#session.privateGroup;
  }

  /** Sends a message to all groups, after all earlier messages. */
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
    this.#ended = true;
    await this.#session.disconnect();
  }
}
