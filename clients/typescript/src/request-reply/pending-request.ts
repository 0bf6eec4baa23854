import type { MessageHeaders } from '../headers.js';

/** A reply to a request. */
export interface Reply {
  /** The private group of the member that replied. */
  readonly sender: string;
  /** The payload. Empty if `error` is set. */
  readonly payload: Buffer;
  readonly headers: MessageHeaders;
  /** The message of the error with which the handler failed. */
  readonly error?: string;
}

/** The result of a request. */
export interface Replies {
  /** The replies in the order of their arrival, at most one from each member. */
  readonly replies: readonly Reply[];
  /** Members that got the request and left the group, or disconnected, without a reply. */
  readonly left: readonly string[];
  /** Members that rejected the request, because too many requests waited for their handlers. */
  readonly overloaded: readonly string[];
  /** Members without a reply when the request ended too early. Empty if the requester does not know the members. */
  readonly missing: readonly string[];
  /** Whether the timeout passed. */
  readonly timedOut: boolean;
  /** Whether all requested replies arrived. */
  readonly complete: boolean;
}

/** What a member answers: a reply, a failed handler, no handler for the group, or a full queue. */
export type ReplyStatus = 'ok' | 'error' | 'not-serving' | 'overloaded';

/**
 * An open request: which members must answer, and what they answered. docs/request-reply.md has the rules Q3 to Q7.
 * Without I/O.
 */
export class PendingRequest {
  readonly #wanted: number | 'all';
  readonly #isPrivate: boolean;
  readonly #replies: Reply[] = [];
  readonly #left: string[] = [];
  readonly #overloaded: string[] = [];
  /** Everyone whose answer arrived, also before the members were known. */
  readonly #answered = new Set<string>();
  /** The members that must still answer. Undefined while they are not known. */
  #waiting: Set<string> | undefined;
  #timedOut = false;

  /**
   * @param target - a group or a private group
   * @param wanted - the number of replies, or all members
   */
  constructor(
    readonly target: string,
    wanted: number | 'all',
  ) {
    this.#isPrivate = target.startsWith('#');
    this.#wanted = this.#isPrivate ? 1 : wanted;
    if (this.#isPrivate) this.#waiting = new Set([target]);
  }

  /** The requester received its own request: these members of the view got it too (Q3). */
  delivered(members: Iterable<string>): void {
    if (this.#waiting !== undefined) return;
    this.#waiting = new Set(members);
    for (const member of this.#answered) this.#waiting.delete(member);
  }

  /** A later view of the group (Q4). */
  view(members: ReadonlySet<string>): void {
    if (this.#isPrivate || this.#waiting === undefined) return;
    for (const member of this.#waiting) if (!members.has(member)) this.#leave(member);
  }

  /** A member disconnected, or a partition separated it (Q5). */
  disconnected(member: string): void {
    if (this.#isPrivate && this.#waiting?.has(member)) this.#leave(member);
  }

  /** An answer of a member. Returns false for a second one (Q7). */
  answer(status: ReplyStatus, reply: Reply): boolean {
    const { sender } = reply;
    if (this.#answered.has(sender)) return false;
    this.#answered.add(sender);
    this.#waiting?.delete(sender);
    if (status === 'overloaded') this.#overloaded.push(sender);
    else if (status !== 'not-serving') this.#replies.push(reply);
    return true;
  }

  /** The timeout passed (Q6). */
  timeOut(): void {
    this.#timedOut = true;
  }

  /** The result, or undefined while the request is open. */
  get result(): Replies | undefined {
    const hasEnough = this.#wanted !== 'all' && this.#replies.length >= this.#wanted;
    const hasAll = this.#waiting?.size === 0;
    if (!hasEnough && !hasAll && !this.#timedOut && !this.#isHopeless) return undefined;
    return {
      replies: this.#replies,
      left: this.#left,
      overloaded: this.#overloaded,
      missing: hasEnough ? [] : [...(this.#waiting ?? [])],
      timedOut: this.#timedOut,
      complete:
        this.#wanted === 'all' ? hasAll && this.#left.length + this.#overloaded.length === 0 : hasEnough,
    };
  }

  /** Whether fewer replies than requested are still possible (Q5). */
  get #isHopeless(): boolean {
    if (this.#wanted === 'all' || this.#waiting === undefined) return false;
    return this.#replies.length + this.#waiting.size < this.#wanted;
  }

  #leave(member: string): void {
    this.#waiting?.delete(member);
    this.#left.push(member);
  }
}
