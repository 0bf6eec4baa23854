import { randomBytes } from 'node:crypto';
import { abortError, type CallLimits, checkTimeout } from '../call.js';
import { AGREED_MESS } from '../constants.js';
import { CORRELATION_ID_HEADER, type MessageHeaders, REPLY_TO_HEADER } from '../headers.js';
import type { Mailbox } from '../mailbox.js';
import type { RegularMessage, SpreadEvent, ViewMessage } from '../messages.js';
import type { Payload } from '../outgoing.js';
import type { Refusal, Sender } from '../sender.js';
import type { SpreadSidecar } from '../sidecar.js';
import { disconnectedError, fieldError, type SpreadError } from '../spread-error.js';
import { PendingRequest, type Replies, type ReplyStatus } from './pending-request.js';
import {
  checkCount,
  connectionLost,
  errorText,
  MAX_OPEN_REQUESTS,
  tooManyRequests,
  withUnknownOutcome,
} from './request-errors.js';
import type {
  HandlerReply,
  RequestHandler,
  RequestOptions,
  RequestReplyOptions,
  RequestService,
  ServeOptions,
} from './request-types.js';
import { ServiceQueue } from './service-queue.js';

/** The header with the status of a reply that is not the result of a handler. */
const REPLY_STATUS_HEADER = 'reply-status';
/** Number of sent messages after which the entries of decided messages are removed. */
const MAX_UNDECIDED = 1000;
const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_MAX_QUEUED = 1000;
/** Maximum time that the end of a service waits until its replies are sent. Unit: ms. */
const FLUSH_MS = 1000;
/** Maximum delay of a timer in Node. Unit: ms. */
const MAX_TIMER_MS = 2 ** 31 - 1;

interface OpenRequest {
  readonly pending: PendingRequest;
  readonly resolve: (replies: Replies) => void;
  readonly reject: (error: unknown) => void;
  readonly stop: () => void;
}

interface Service {
  readonly handler: RequestHandler;
  readonly queue: ServiceQueue<RegularMessage>;
}

/**
 * Opens a mailbox for requests and replies. By default, the mailbox ends with its connection, so that requesters
 * learn within a second that this process has died.
 *
 * @example
 * ```ts
 * const calls = await openRequestReply(sidecar);
 * await calls.serve('prices', ({ payload }) => lookUp(payload.toString()));
 * const { replies } = await calls.request('prices', 'EUR', { timeoutMs: 1000 });
 * ```
 */
export async function openRequestReply(
  sidecar: SpreadSidecar,
  options: RequestReplyOptions & CallLimits = {},
): Promise<RequestReply> {
  const { onEvent, ...rest } = options;
  const mailbox = await sidecar.connect({ endWithConnection: true, ...rest, membership: true });
  return new RequestReply(mailbox, onEvent);
}

/** Makes and handles requests over a mailbox of its own. docs/request-reply.md has the rules. */
export class RequestReply {
  readonly #mailbox: Mailbox;
  readonly #onEvent: (event: SpreadEvent) => void;
  readonly #prefix = randomBytes(8).toString('hex');
  readonly #open = new Map<string, OpenRequest>();
  readonly #services = new Map<string, Service>();
  /** The members of each group that the mailbox is in, in the order of the view. */
  readonly #members = new Map<string, readonly string[]>();
  readonly #joining = new Map<string, Promise<unknown>>();
  /** Called when the self-leave of a group arrives. */
  readonly #onLeft = new Map<string, () => void>();
  #sender: Sender | undefined;
  /** What to do when the sidecar rejects a message, by its index. Entries of decided messages are removed later. */
  #onRejected = new Map<number, (error: SpreadError) => void>();
  #counter = 0;
  #late = 0;
  #duplicate = 0;
  #end: SpreadError | undefined;
  readonly #loop: Promise<void>;

  /** Use {@link openRequestReply} instead of this constructor. */
  constructor(mailbox: Mailbox, onEvent: (event: SpreadEvent) => void = () => {}) {
    this.#mailbox = mailbox;
    this.#onEvent = onEvent;
    this.#loop = this.#receive();
  }

  /** The private group, to which requests can go too. */
  get privateGroup(): string {
    return this.#mailbox.privateGroup;
  }

  /** Open requests, and the replies that came too late or a second time (Q7). */
  get statistics(): { open: number; lateReplies: number; duplicateReplies: number } {
    return { open: this.#open.size, lateReplies: this.#late, duplicateReplies: this.#duplicate };
  }

  /**
   * Sends a request to a group or a private group, and waits for the replies. With `replies: 'all'`, joins the group
   * first, because only members know the view.
   *
   * @returns the replies, also if some are missing
   * @throws {@link SpreadError} if the request was not sent, or if the mailbox ended
   */
  async request(target: string, payload: Payload, options: RequestOptions = {}): Promise<Replies> {
    const { replies = 1, timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
    if (replies !== 'all' && !(Number.isInteger(replies) && replies >= 1))
      throw fieldError('replies', "a whole number, 1 or more, or 'all'", replies);
    checkTimeout(timeoutMs);
    if (this.#open.size >= MAX_OPEN_REQUESTS) throw tooManyRequests();
    if (signal?.aborted) throw abortError(signal, 'aborted before the request was sent', { send: true });
    const deadline = performance.now() + timeoutMs;
    if (replies === 'all' && !target.startsWith('#')) await this.#member(target, { signal, timeoutMs });
    if (this.#end) throw this.#end;
    const pending = new PendingRequest(target, replies);
    return await new Promise<Replies>((resolve, reject) => {
      const id = `${this.#prefix}-${++this.#counter}`;
      const timer = setTimeout(
        () => {
          pending.timeOut();
          this.#settle(id);
        },
        Math.min(Math.max(deadline - performance.now(), 0), MAX_TIMER_MS),
      );
      const onAbort = () =>
        this.#fail(id, abortError(signal as AbortSignal, 'aborted while waiting for replies'));
      signal?.addEventListener('abort', onAbort, { once: true });
      const stop = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      this.#open.set(id, { pending, resolve, reject, stop });
      const headers = {
        ...options.headers,
        [CORRELATION_ID_HEADER]: id,
        [REPLY_TO_HEADER]: this.privateGroup,
      };
      const { serviceType = AGREED_MESS, messageType = 0 } = options;
      this.#send(serviceType, target, payload, messageType, headers, (error) => this.#fail(id, error));
    });
  }

  /**
   * Joins a group and handles its requests. A request to the private group goes to the service that has been open for
   * the longest time.
   *
   * @throws {@link SpreadError} if the mailbox cannot join the group, or already serves it
   */
  async serve(group: string, handler: RequestHandler, options: ServeOptions = {}): Promise<RequestService> {
    const { concurrency = 1, maxQueued = DEFAULT_MAX_QUEUED, ...limits } = options;
    checkCount('concurrency', concurrency, 1);
    checkCount('maxQueued', maxQueued, 0);
    if (this.#services.has(group))
      throw fieldError('group', 'a group that this object does not serve', group);
    const queue = new ServiceQueue<RegularMessage>(
      (message) => this.#handle(handler, message),
      concurrency,
      maxQueued,
    );
    this.#services.set(group, { handler, queue });
    try {
      await this.#member(group, limits);
    } catch (error) {
      this.#services.delete(group);
      throw error;
    }
    const service = this.#services.get(group);
    return {
      group,
      stop: async (leaveLimits: CallLimits = {}) => {
        if (this.#services.get(group) !== service) return;
        this.#services.delete(group);
        for (const message of queue.stop()) this.#answer(message, '', 'not-serving');
        await this.#leave(group, leaveLimits);
      },
    };
  }

  /** Ends the mailbox. Open requests reject with ILLEGAL_SESSION and outcome `unknown`. */
  async close(limits: CallLimits = {}): Promise<void> {
    this.#endWith(disconnectedError());
    await this.#untilSent();
    await this.#mailbox.disconnect(limits);
    await this.#loop;
  }

  /** The same as {@link close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #receive(): Promise<void> {
    try {
      for (;;) for (const event of await this.#mailbox.receiveMany()) this.#onReceived(event);
    } catch (error) {
      this.#endWith(error as SpreadError);
    }
  }

  #onReceived(event: SpreadEvent): void {
    switch (event.kind) {
      case 'regular':
        if (this.#isCall(event)) return;
        break;
      case 'view':
        this.#onView(event);
        break;
      case 'selfLeave':
        this.#members.delete(event.group);
        this.#joining.delete(event.group);
        this.#onLeft.get(event.group)?.();
        break;
      case 'connectionLost':
        this.#members.clear();
        for (const id of [...this.#open.keys()]) this.#fail(id, connectionLost());
        break;
    }
    try {
      this.#onEvent(event);
    } catch (error) {
      // As with an event listener that throws.
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  /** Whether the message is a request or a reply. */
  #isCall(message: RegularMessage): boolean {
    const id = message.headers[CORRELATION_ID_HEADER];
    if (id === undefined) return false;
    if (message.headers[REPLY_TO_HEADER] === undefined) return this.#onReply(id, message);
    this.#onRequest(id, message);
    return true;
  }

  #onReply(id: string, message: RegularMessage): boolean {
    if (!id.startsWith(`${this.#prefix}-`)) return false;
    const open = this.#open.get(id);
    if (open === undefined) {
      this.#late += 1;
      return true;
    }
    const replyStatus = message.headers[REPLY_STATUS_HEADER] ?? 'ok';
    const { sender, headers } = message;
    const reply =
      replyStatus === 'error'
        ? { sender, headers, payload: Buffer.alloc(0), error: message.text() }
        : { sender, headers, payload: message.payload };
    if (!open.pending.answer(replyStatus as ReplyStatus, reply)) this.#duplicate += 1;
    this.#settle(id);
    return true;
  }

  #onRequest(id: string, message: RegularMessage): void {
    if (message.sender === this.privateGroup) this.#onOwnRequest(id);
    const service = this.#serviceOf(message);
    if (service !== undefined) {
      if (!service.queue.add(message)) this.#answer(message, '', 'overloaded');
    } else if (message.sender !== this.privateGroup) {
      this.#answer(message, '', 'not-serving');
    }
  }

  /** The view in which the requester receives its own request is the view in which all members receive it (Q3). */
  #onOwnRequest(id: string): void {
    const open = this.#open.get(id);
    const { target } = open?.pending ?? {};
    const members = target === undefined ? undefined : this.#members.get(target);
    if (open === undefined || members === undefined) return;
    const others = this.#services.has(target as string)
      ? members
      : members.filter((member) => member !== this.privateGroup);
    open.pending.delivered(others);
    this.#settle(id);
  }

  #serviceOf({ groups }: RegularMessage): Service | undefined {
    for (const group of groups) {
      const service = this.#services.get(group);
      if (service !== undefined) return service;
    }
    if (!groups.includes(this.privateGroup)) return undefined;
    return this.#services.values().next().value;
  }

  async #handle(handler: RequestHandler, message: RegularMessage): Promise<void> {
    const { payload, sender, messageType, headers, groups } = message;
    const group = groups.find((one) => this.#services.has(one)) ?? this.privateGroup;
    try {
      const result = await handler({ payload, sender, group, messageType, headers });
      const reply = isPayload(result) ? { payload: result } : result;
      this.#answer(message, reply.payload, 'ok', reply.headers);
    } catch (error) {
      this.#answer(message, errorText(error), 'error');
    }
  }

  #answer(
    message: RegularMessage,
    payload: Payload,
    replyStatus: ReplyStatus,
    more: MessageHeaders = {},
  ): void {
    // With a reply-to, the reply would be a request.
    const { [REPLY_TO_HEADER]: _replyTo, [REPLY_STATUS_HEADER]: _status, ...own } = more;
    const headers: Record<string, string> = {
      ...own,
      [CORRELATION_ID_HEADER]: message.headers[CORRELATION_ID_HEADER] as string,
    };
    if (replyStatus !== 'ok') headers[REPLY_STATUS_HEADER] = replyStatus;
    const replyTo = message.headers[REPLY_TO_HEADER] as string;
    // For example, the payload is too long. An error reply is short. If it fails too, the reply-to is malformed.
    this.#send(AGREED_MESS, replyTo, payload, 0, headers, (error) => {
      if (replyStatus === 'ok') this.#answer(message, errorText(error), 'error');
    });
  }

  /** @param onFailure - called if the message is not sent */
  #send(
    serviceType: number,
    target: string,
    payload: Payload,
    messageType: number,
    headers: MessageHeaders,
    onFailure: (error: unknown) => void,
  ): void {
    if (this.#end) {
      onFailure(this.#end);
      return;
    }
    try {
      const sender = this.#openSender();
      const { sent, decided } = sender.progress;
      if (this.#onRejected.size >= MAX_UNDECIDED)
        for (const index of this.#onRejected.keys()) if (index <= decided) this.#onRejected.delete(index);
      this.#onRejected.set(sent + 1, onFailure);
      sender.send(serviceType, target, payload, messageType, { headers }).catch(onFailure);
    } catch (error) {
      onFailure(error);
    }
  }

  #openSender(): Sender {
    if (this.#sender === undefined || this.#sender.closed) {
      const onRejected = new Map<number, (error: SpreadError) => void>();
      this.#onRejected = onRejected;
      const onRefused = ({ index, error }: Refusal) => onRejected.get(index)?.(error);
      this.#sender = this.#mailbox.sender({ onRefused });
    }
    return this.#sender;
  }

  #onView(view: ViewMessage): void {
    this.#members.set(view.group, view.members);
    const members = new Set(view.members);
    const gone = view.cause === 'DISCONNECT' || view.cause === 'NETWORK' ? view.changedMembers : [];
    for (const [id, { pending }] of this.#open) {
      if (pending.target === view.group) pending.view(members);
      else for (const member of gone) if (!members.has(member)) pending.disconnected(member);
      this.#settle(id);
    }
  }

  /** Resolves when the mailbox is a member of the group and has its view. */
  async #member(group: string, limits: CallLimits): Promise<void> {
    if (this.#end) throw this.#end;
    if (this.#members.has(group)) return;
    let joining = this.#joining.get(group);
    if (joining === undefined) {
      joining = this.#mailbox.join(group, { ...limits, awaitView: true });
      this.#joining.set(group, joining);
      joining.catch(() => this.#joining.delete(group));
    }
    await joining;
  }

  /** Resolves when the loop has the self-leave, so that a later join is not mistaken for the present membership. */
  async #leave(group: string, limits: CallLimits): Promise<void> {
    const left = new Promise<void>((resolve) => this.#onLeft.set(group, resolve));
    await this.#untilSent();
    try {
      const selfLeave = await this.#mailbox.leave(group, { ...limits, awaitView: true });
      if (selfLeave !== undefined) await left;
    } finally {
      this.#onLeft.delete(group);
    }
  }

  /** A leave must not overtake earlier replies, but a sidecar that does not respond must not delay it for long. */
  async #untilSent(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise((resolve) => {
      timer = setTimeout(resolve, FLUSH_MS);
    });
    await Promise.race([this.#sender?.flush().catch(() => {}), limit]);
    clearTimeout(timer);
  }

  #settle(id: string): void {
    const open = this.#open.get(id);
    const result = open?.pending.result;
    if (open === undefined || result === undefined) return;
    this.#forget(id, open);
    open.resolve(result);
  }

  #fail(id: string, error: unknown): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    this.#forget(id, open);
    open.reject(error);
  }

  #forget(id: string, open: OpenRequest): void {
    open.stop();
    this.#open.delete(id);
  }

  #endWith(error: SpreadError): void {
    this.#end ??= error;
    for (const { queue } of this.#services.values()) queue.stop();
    this.#services.clear();
    const failure = withUnknownOutcome(this.#end);
    for (const id of [...this.#open.keys()]) this.#fail(id, failure);
  }
}

function isPayload(reply: HandlerReply): reply is Payload {
  return typeof reply === 'string' || reply instanceof Uint8Array;
}
