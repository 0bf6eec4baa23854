import type { ComponentChildren } from 'preact';
import { bytes, duration, number, ratio, time } from '../format.js';
import type { Mailbox } from '../types.js';

export type Tone = 'good' | 'warning' | 'bad' | 'neutral';

export function Badge({
  tone,
  title,
  children,
}: {
  tone: Tone;
  title?: string;
  children: ComponentChildren;
}) {
  return (
    <span class={`badge badge-${tone}`} title={title}>
      {children}
    </span>
  );
}

/** A time in UTC, as in the log. */
export function Time({ at }: { at: string }) {
  return (
    <time dateTime={at} title={at}>
      {time(at, new Date().toISOString())}
    </time>
  );
}

/** The time since an event of the sidecar, by the sidecar's clock. */
export function Ago({ at, now }: { at: string; now: string }) {
  return (
    <time dateTime={at} title={at}>
      {duration(Date.parse(now) - Date.parse(at))} ago
    </time>
  );
}

const STATES: Readonly<Record<string, Tone>> = {
  OPEN: 'good',
  RECONNECTING: 'warning',
  ENDED: 'bad',
  LEAVING: 'neutral',
};

export function MailboxState({ mailbox }: { mailbox: Mailbox }) {
  return (
    <>
      <Badge tone={STATES[mailbox.state] ?? 'neutral'}>{mailbox.state}</Badge>
      {mailbox.queue.paused && (
        <>
          {' '}
          <Badge
            tone="bad"
            title="The queue is full. Until the client has read from it, the sidecar reads no messages for this mailbox from the daemon."
          >
            paused
          </Badge>
        </>
      )}
    </>
  );
}

export const toneOf = (full: number): Tone => (full >= 0.8 ? 'bad' : full >= 0.5 ? 'warning' : 'good');

/** The depth of a queue against both of its limits. The bar shows the fuller limit. */
export function QueueDepth({ queue }: Pick<Mailbox, 'queue'>) {
  const full = Math.max(ratio(queue.events, queue.maxEvents), ratio(queue.bytes, queue.maxBytes));
  return (
    <div class="queue">
      <div class={`bar bar-${toneOf(full)}`}>
        <div style={{ width: `${full === 0 ? 0 : Math.max(2, full * 100)}%` }} />
      </div>
      <div class="nowrap">
        {number(queue.events)} <span class="muted">of {number(queue.maxEvents)} events</span>
      </div>
      <div class="nowrap">
        {bytes(queue.bytes)} <span class="muted">of {bytes(queue.maxBytes)}</span>
      </div>
    </div>
  );
}

/** Whether a receiver is attached, and the lease. */
export function Lease({ mailbox, now }: { mailbox: Mailbox; now: string }) {
  const { endsAt, durationMs } = mailbox.lease;
  return (
    <span class="muted">
      lease {duration(durationMs)}
      {endsAt !== null && (
        <>
          , <span class="strong">expires in {duration(Date.parse(endsAt) - Date.parse(now))}</span>
        </>
      )}
    </span>
  );
}

/** The first names of a list. The others are behind a button. */
export function Names({
  names,
  count,
  shown = 4,
}: {
  names: readonly string[];
  count: number;
  shown?: number;
}) {
  if (count === 0) return <span class="muted">none</span>;
  const first = names.slice(0, shown);
  const others = names.slice(shown);
  const list = (some: readonly string[]) => (
    <ul class="names">
      {some.map((name) => (
        <li key={name} class="name">
          {name}
        </li>
      ))}
    </ul>
  );
  return (
    <>
      {list(first)}
      {count > first.length && (
        <details>
          <summary>{number(count - first.length)} more</summary>
          {list(others)}
          {count > names.length && <p class="muted">The page shows the first {number(names.length)}.</p>}
        </details>
      )}
    </>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}
