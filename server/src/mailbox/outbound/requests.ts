import { SpreadError } from '../../spread/spread-error.js';
import { checkGroupName } from '../../spread/wire/index.js';
import { deadlineExceeded, inSpreadTerms, interruptedBy, refusedAfter, SendFailure } from '../end-errors.js';
import type { SelfLeave, View } from '../event.js';
import { type GroupMemberships, membershipOff, type Waiter } from '../group-memberships.js';
import type { MailboxEnd, OutgoingMessage } from '../mailbox-types.js';
import { MailboxError } from '../sidecar-error.js';
import type { OnTaken, Outbox } from './outbox.js';

/** How long a call waits. */
export interface CallOptions {
  /** Its deadline or its cancellation. */
  readonly signal?: AbortSignal | undefined;
}

/** How a join or leave is confirmed. */
export interface GroupCallOptions extends CallOptions {
  /** Whether to respond only after the daemon's confirmation. Default: false. */
  readonly awaitView?: boolean;
}

export interface RequestsOptions {
  readonly outbox: Outbox;
  readonly groups: GroupMemberships;
  /**
   * Joins and leaves survive the loss of the connection, because the next one starts with joins of the mailbox's
   * groups.
   */
  readonly reconnects: boolean;
  /** Limit of the mailbox's groups. */
  readonly maxGroups: number;
  /** The end of the mailbox. Undefined while it is open. */
  end(): MailboxEnd | undefined;
}

/** The requests of a mailbox to its daemon. See Mailbox for the guarantees of each call. */
export class Requests {
  readonly #options: RequestsOptions;
  /** A stream passes the same function with each of its messages. */
  readonly #adapted = new WeakMap<OnTaken, OnTaken>();

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  async join(group: string, options: GroupCallOptions): Promise<View | undefined> {
    const { groups, maxGroups } = this.#options;
    this.#checkGroupCall(group, options);
    if (!groups.has(group)) {
      if (groups.size >= maxGroups) {
        const message = `the mailbox has reached its limit of ${maxGroups} groups`;
        throw new MailboxError('TOO_MANY_GROUPS', message, {
          field: 'group',
          limit: 'mailbox.maxGroups',
          bound: String(maxGroups),
        });
      }
      const accepted = this.#send('join', group, options);
      groups.joining(group);
      if (!options.awaitView) return await accepted;
    } else if (!options.awaitView) {
      return undefined;
    }
    return await waitFor<View>((waiter) => groups.awaitView(group, waiter), options.signal);
  }

  async leave(group: string, options: GroupCallOptions): Promise<SelfLeave | undefined> {
    const { groups } = this.#options;
    this.#checkGroupCall(group, options);
    if (groups.has(group)) {
      const accepted = this.#send('leave', group, options);
      groups.leaving(group);
      if (!options.awaitView) return await accepted;
    } else if (!options.awaitView) {
      return undefined;
    }
    return await waitFor<SelfLeave | undefined>(
      (waiter) => groups.awaitSelfLeave(group, waiter),
      options.signal,
    );
  }

  async multicast(message: OutgoingMessage, { signal }: CallOptions): Promise<number> {
    this.#mustBeOpen();
    if (signal?.aborted) throw deadlineExceeded('not-sent');
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => reject(deadlineExceeded(withdraw?.() ? 'not-sent' : 'unknown'));
      const withdraw = this.#options.outbox.multicast(message, (error) => {
        signal?.removeEventListener('abort', onAbort);
        if (error === undefined) resolve();
        else reject(this.#failure(error));
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
    return message.payload.length;
  }

  send(message: OutgoingMessage, onTaken: OnTaken | undefined): boolean {
    this.#mustBeOpen();
    const { outbox } = this.#options;
    outbox.multicast(message, onTaken === undefined ? undefined : this.#adapt(onTaken));
    return !outbox.isFull;
  }

  #mustBeOpen(): void {
    const end = this.#options.end();
    if (end !== undefined) throw refusedAfter(end);
  }

  #checkGroupCall(group: string, { awaitView, signal }: GroupCallOptions): void {
    inSpreadTerms(() => checkGroupName(group));
    if (awaitView && !this.#options.groups.membership) throw membershipOff();
    this.#mustBeOpen();
    if (signal?.aborted) throw deadlineExceeded('not-sent');
  }

  /**
   * Sends a join or leave. Resolves when the connection has accepted it, which does not matter to calls that await
   * the view.
   */
  #send(kind: 'join' | 'leave', group: string, { awaitView, signal }: GroupCallOptions): Promise<undefined> {
    const { outbox } = this.#options;
    if (awaitView) {
      outbox.request({ kind, group });
      return Promise.resolve(undefined);
    }
    let settle: OnTaken | undefined;
    // Sends before it waits, so that a rejected request throws immediately.
    outbox.request({ kind, group }, (error) => settle?.(error));
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(deadlineExceeded('unknown'));
      signal?.addEventListener('abort', onAbort, { once: true });
      settle = (error) => {
        signal?.removeEventListener('abort', onAbort);
        if (error === undefined || this.#isMadeUpFor(error)) resolve(undefined);
        else reject(this.#failure(error));
      };
    });
  }

  /** A join or leave that was lost with a connection that will be replaced. */
  #isMadeUpFor(error: Error): boolean {
    const { reconnects, end } = this.#options;
    return (
      reconnects && end() === undefined && error instanceof SpreadError && error.code === 'CONNECTION_CLOSED'
    );
  }

  #adapt(onTaken: OnTaken): OnTaken {
    let adapted = this.#adapted.get(onTaken);
    if (adapted === undefined) {
      adapted = (error) => onTaken(error === undefined ? undefined : this.#streamFailure(error));
      this.#adapted.set(onTaken, adapted);
    }
    return adapted;
  }

  /** A stream ends with the first reported failure of any message. The outcome of the others is unknown. */
  #streamFailure(error: Error): Error {
    const end = this.#options.end();
    if (end !== undefined) return interruptedBy(end, 'unknown');
    if (!(error instanceof MailboxError) || error.metadata.outcome === undefined) return this.#failure(error);
    return new MailboxError(error.reason, error.message, { ...error.metadata, outcome: 'unknown' });
  }

  /** Adds the outcome of the request to a session's failure. */
  #failure(error: Error): Error {
    if (!(error instanceof SpreadError) || error instanceof SendFailure) return error;
    const end = this.#options.end();
    if (end !== undefined && end.reason !== 'CONNECTION_CLOSED') return interruptedBy(end, 'unknown');
    return new SendFailure(error.code, error.message, 'unknown', error);
  }
}

/** Waits until the waiter is completed or the signal is aborted. */
function waitFor<Answer>(
  begin: (waiter: Waiter<Answer>) => () => void,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      stop();
      reject(deadlineExceeded('unknown'));
    };
    const settled = (): void => signal?.removeEventListener('abort', onAbort);
    signal?.addEventListener('abort', onAbort, { once: true });
    const stop = begin({
      resolve: (answer) => {
        settled();
        resolve(answer);
      },
      reject: (error) => {
        settled();
        reject(error);
      },
    });
  });
}
