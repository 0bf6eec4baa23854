import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../support/until.js';
import type { History } from './history.js';
import { Observer } from './observer.js';
import type { Site } from './world.js';

/** Maximum time until a restarted daemon accepts an observer. Unit: ms. */
const RETURN_MS = 60_000;

/**
 * The observers of a round, one at each daemon. A restarted daemon gets a new observer, which joins its
 * groups before any other session. Therefore it sees everything that others see.
 */
export class Observers {
  readonly #sites: readonly Site[];
  readonly #groups: readonly string[];
  readonly #history: History;
  readonly #at: (Observer | undefined)[] = [];
  #numbers = 0;
  #failure: Error | undefined;
  #ended = false;

  private constructor(sites: readonly Site[], groups: readonly string[], history: History) {
    this.#sites = sites;
    this.#groups = groups;
    this.#history = history;
  }

  static async start(sites: readonly Site[], groups: readonly string[], history: History) {
    const observers = new Observers(sites, groups, history);
    await Promise.all(sites.map((_, index) => observers.#open(index)));
    await observers.whole();
    return observers;
  }

  /** Whether the observer at this site received this message. */
  saw(site: number, id: string): boolean {
    this.#mustLive();
    return this.#at[site]?.saw(id) ?? false;
  }

  /** The members of the group, at any observer. */
  membersOf(group: string): ReadonlySet<string> {
    this.#mustLive();
    return new Set(this.#at.flatMap((observer) => observer?.membersOf(group) ?? []));
  }

  /** Whether a session is an observer. */
  has(privateGroup: string): boolean {
    return this.#at.some((observer) => observer?.privateGroup === privateGroup);
  }

  /** The members of the group at the observer of this site. */
  membersAt(site: number, group: string): readonly string[] {
    this.#mustLive();
    return this.#at[site]?.membersOf(group) ?? [];
  }

  /** Resolves when each daemon has an observer and all see the same members. */
  async whole(timeoutMs = RETURN_MS): Promise<void> {
    const textAt = (site: number) =>
      this.#groups.map((group) => [...this.membersAt(site, group)].sort().join()).join(';');
    await until(
      () => {
        this.#mustLive();
        const first = textAt(0);
        return this.#sites.every((_, site) => this.#at[site] !== undefined && textAt(site) === first);
      },
      { timeoutMs, what: 'all daemons see the same members' },
    );
  }

  /** Sends a message of each observer to all groups. Returns the IDs. */
  mark(round: number): string[] {
    return this.#sites.map((_, site) => {
      const id = `mark${site}:${round}`;
      this.#at[site]?.mark(id);
      return id;
    });
  }

  async end(): Promise<void> {
    this.#ended = true;
    await Promise.all(this.#at.map((observer) => observer?.end()));
  }

  async #open(index: number): Promise<void> {
    const site = this.#sites[index]!;
    this.#numbers += 1;
    this.#at[index] = await Observer.connect({
      address: site.daemon,
      groups: this.#groups,
      history: this.#history,
      number: this.#numbers,
      onLost: (error) => {
        this.#at[index] = undefined;
        for (const link of site.links) link.daemon.shut = true;
        if (site.daemonRuns()) this.#failure = error;
        else void this.#again(index);
      },
    });
    for (const link of site.links) link.daemon.shut = false;
  }

  async #again(index: number): Promise<void> {
    const deadline = performance.now() + RETURN_MS;
    while (!this.#ended) {
      try {
        return await this.#open(index);
      } catch (error) {
        if (performance.now() > deadline) {
          this.#failure = error as Error;
          return;
        }
        await sleep(20);
      }
    }
  }

  /** Without an observer, the checks have no reference. */
  #mustLive(): void {
    if (this.#failure)
      throw new Error(`an observer lost its daemon, so there is no verdict: ${this.#failure.message}`);
  }
}
