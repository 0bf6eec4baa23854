import { createContext } from 'preact';
import { useContext, useEffect, useRef, useState } from 'preact/hooks';
import type { Api } from './api.js';
import { RequestRejected } from './api.js';
import type { RateHistory } from './rate-history.js';
import type { Refresher } from './refresher.js';
import type { Mailbox, MailboxRows, Status } from './types.js';

/** What all views share. */
export interface Live {
  readonly api: Api;
  readonly refresher: Refresher;
  readonly history: RateHistory;
}

/** The series of the sums of all mailboxes. No display ID is equal to it. */
export const TOTALS = 'totals';

export const LiveContext = createContext<Live | undefined>(undefined);

export const useShared = (): Live => useContext(LiveContext)!;

/** What a view shows. */
interface Loaded<Data> {
  /** The last data. While the settings of the view change, the data before the change. */
  readonly data: Data | undefined;
  /** Whether the data are those of the current settings. */
  readonly isCurrent: boolean;
  /** Why the sidecar rejected the last request of the view. */
  readonly mistake: string | undefined;
}

/**
 * Loads the data of a view, and loads them again with each refresh of the page.
 *
 * @param settings - a text that changes when the view must load at once
 */
export function useLive<Data>(
  load: (live: Live, signal: AbortSignal) => Promise<Data>,
  settings = '',
): Loaded<Data> {
  const live = useShared();
  const latest = useRef(load);
  latest.current = load;
  const [loaded, setLoaded] = useState<{ settings: string; data?: Data; mistake?: string }>();
  useEffect(
    () =>
      live.refresher.add(async (signal) => {
        try {
          const data = await latest.current(live, signal);
          if (!signal.aborted) setLoaded({ settings, data });
        } catch (error) {
          // Only this view is concerned.
          if (!(error instanceof RequestRejected && error.status === 400)) throw error;
          setLoaded({ settings, mistake: error.message });
        }
      }),
    [live, settings],
  );
  return {
    data: loaded?.data,
    isCurrent: loaded?.settings === settings,
    mistake: loaded?.mistake,
  };
}

/** Loads the state of the sidecar and records the rates of all mailboxes together. */
export async function loadStatus({ api, history }: Live, signal: AbortSignal): Promise<Status> {
  const status = await api.get<Status>('/status.json', {}, signal);
  const { receivedEvents, sentMessages } = status.totals;
  history.record(TOTALS, nowOf(status), receivedEvents, sentMessages);
  return status;
}

/** The time of the state, by the clock of the sidecar. Unit: ms. */
export const nowOf = ({ startedAt, uptimeMs }: Status): number => Date.parse(startedAt) + uptimeMs;

/** Loads mailboxes and records their rates. */
export async function loadMailboxes(
  { api, history }: Live,
  query: Readonly<Record<string, string | number>>,
  signal: AbortSignal,
): Promise<MailboxRows> {
  const rows = await api.get<MailboxRows>('/mailboxes.json', query, signal);
  const atMs = Date.parse(rows.at);
  for (const { displayId, received, sent } of rows.mailboxes)
    history.record(displayId, atMs, received.events, sent.messages);
  history.prune(atMs);
  return rows;
}

/** The used part of the fuller limit of a queue, from 0 to 1. */
export function fullness({ queue }: Mailbox): number {
  const used = (value: number, limit: number) => (limit > 0 ? value / limit : 0);
  return Math.min(1, Math.max(used(queue.events, queue.maxEvents), used(queue.bytes, queue.maxBytes)));
}
