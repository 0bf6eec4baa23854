import { Session } from '../../server/src/spread/session.js';
import { until } from '../support/until.js';
import type { History } from './history.js';
import { payloadOf } from './payload.js';
import { seenBySession } from './seen.js';

/** A real daemon that has just come lets joins wait for some seconds. Unit: ms. */
const JOIN_MS = 20_000;

export interface ObserverOptions {
  readonly address: string;
  readonly groups: readonly string[];
  readonly history: History;
  /** Unique in the round. */
  readonly number: number;
  /** The daemon is gone; not called after `end`. */
  readonly onLost: (error: Error) => void;
}

/**
 * The ground truth: a session at a daemon itself, which no faulty link touches and which is in every group before
 * anybody else of that daemon.
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

  /** Resolves when it is in all its groups; rejects when the daemon is not there, or goes meanwhile. */
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

  /** Whether it got this message. */
  saw(id: string): boolean {
    return this.#seen.has(id);
  }

  /** Who is in a group now. */
  membersOf(group: string): readonly string[] {
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
    this.#ended = true;
    await this.#session.disconnect();
  }
}
