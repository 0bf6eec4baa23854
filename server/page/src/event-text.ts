import { bytes, number } from './format.js';
import type { SidecarEvent } from './types.js';

/** What the kinds of events are called on the page, and how serious they are. */
export const KINDS: Readonly<
  Record<string, { readonly text: string; readonly tone: 'good' | 'warning' | 'bad' | 'neutral' }>
> = {
  'mailbox-connected': { text: 'mailbox connected', tone: 'good' },
  'connect-failed': { text: 'connect failed', tone: 'bad' },
  'mailbox-ended': { text: 'mailbox ended', tone: 'neutral' },
  'mailbox-reconnecting': { text: 'reconnecting', tone: 'warning' },
  'mailbox-reconnected': { text: 'reconnected', tone: 'good' },
  'slow-consumer': { text: 'slow consumer', tone: 'warning' },
  'credential-rejected': { text: 'credential rejected', tone: 'bad' },
  'daemon-up': { text: 'daemon up', tone: 'good' },
  'daemon-down': { text: 'daemon down', tone: 'bad' },
};

/** Ends that the client did not request. */
const UNWANTED_ENDS = new Set([
  'CONNECTION_CLOSED',
  'QUEUE_OVERFLOW',
  'SLOW_CONSUMER',
  'LEASE_EXPIRED',
  'INTERNAL',
]);

export function kindOf({ kind, reason = '' }: SidecarEvent) {
  const known = KINDS[kind] ?? { text: kind, tone: 'neutral' as const };
  return kind === 'mailbox-ended' && UNWANTED_ENDS.has(reason) ? { ...known, tone: 'bad' as const } : known;
}

/** Events that an operator must see first. */
export function isNotable(event: SidecarEvent): boolean {
  return (
    kindOf(event).tone !== 'good' && !(event.kind === 'mailbox-ended' && event.reason === 'DISCONNECTED')
  );
}

/** What happened, without the reason and the mailbox. */
export function detailsOf(event: SidecarEvent): string {
  const { message, queuedEvents, maxEvents, queuedBytes, maxBytes, method, page, version, kind } = event;
  const parts = [
    message,
    queuedEvents !== undefined && maxEvents !== undefined
      ? `queue: ${number(queuedEvents)} of ${number(maxEvents)} events`
      : undefined,
    queuedBytes !== undefined && maxBytes !== undefined
      ? `${bytes(queuedBytes)} of ${bytes(maxBytes)}`
      : undefined,
    method && `method ${method}`,
    page && `page ${page}`,
    version && kind === 'daemon-up' ? `Spread ${version}` : undefined,
  ];
  return parts.filter((part) => part !== undefined && part !== '').join(', ');
}

/** The clients of mailboxes, by display ID, as far as the events name them. */
export function clientsOf(events: readonly SidecarEvent[]): ReadonlyMap<string, string> {
  const clients = new Map<string, string>();
  for (const { mailbox, client } of events) if (mailbox && client) clients.set(mailbox, client);
  return clients;
}

/** Whether a text of the event contains the filter. */
export function matches(event: SidecarEvent, filter: string, client = ''): boolean {
  if (filter === '') return true;
  return [...Object.values(event), client].some((value) => String(value).includes(filter));
}
