import { isNotable } from '../event-text.js';
import { bytes, number, shortIdentity } from '../format.js';
import { fullness, type Live, loadMailboxes, nowOf, TOTALS, useLive, useShared } from '../live.js';
import { type Column, DataTable } from '../parts/data-table.js';
import { EventsTable } from '../parts/events-table.js';
import { ChartLegend, RateChart } from '../parts/rate-chart.js';
import { Ago, Badge, Empty, MailboxState, QueueDepth, Time, toneOf } from '../parts/small-parts.js';
import { routeHash } from '../route.js';
import type { DaemonChange, Events, Mailbox, Status } from '../types.js';

/** Mailboxes that are listed at most. */
const MAX_SLOW = 5;
/** Events that are listed at most. */
const MAX_EVENTS = 8;
/** A queue that is less full than this is not listed. */
const FULL = 0.5;

async function load(live: Live, signal: AbortSignal) {
  const byEvents = await loadMailboxes(live, { sort: '-queueEvents', limit: MAX_SLOW }, signal);
  const byBytes = await loadMailboxes(live, { sort: '-queueBytes', limit: MAX_SLOW }, signal);
  const { events } = await live.api.get<Events>('/events.json', {}, signal);
  const byId = new Map([...byEvents.mailboxes, ...byBytes.mailboxes].map((one) => [one.displayId, one]));
  const slow = [...byId.values()]
    .filter((mailbox) => mailbox.queue.paused || fullness(mailbox) >= FULL)
    .sort((a, b) => fullness(b) - fullness(a))
    .slice(0, MAX_SLOW);
  return { slow, events };
}

const SLOW_COLUMNS: readonly Column<Mailbox>[] = [
  { title: 'Client', cell: ({ client }) => <b title={client}>{shortIdentity(client)}</b> },
  {
    title: 'Mailbox',
    cell: ({ displayId, privateGroup }) => (
      <>
        <a href={routeHash('mailboxes', new URLSearchParams({ filter: privateGroup }))}>{displayId}</a>{' '}
        <span class="name">{privateGroup}</span>
      </>
    ),
  },
  { title: 'Queue', cell: ({ queue }) => <QueueDepth queue={queue} /> },
  {
    title: 'State',
    cell: (mailbox) => (
      <>
        <MailboxState mailbox={mailbox} />{' '}
        {!mailbox.receiverAttached && <Badge tone="warning">no receiver</Badge>}
      </>
    ),
  },
];

/** What an operator must see first. */
export function Overview({ status }: { status: Status }) {
  const { data } = useLive(load);
  const notable = (data?.events ?? []).filter(isNotable).reverse();
  return (
    <div class="overview">
      <Readiness status={status} />
      <DaemonConnection status={status} />
      <Traffic status={status} />
      <section class="card wide" aria-labelledby="slow-title">
        <h2 id="slow-title">Slow consumers</h2>
        {data?.slow.length === 0 && <Empty>No queue is more than half full.</Empty>}
        {data && data.slow.length > 0 && (
          <>
            <DataTable
              caption="Mailboxes with the fullest queues"
              columns={SLOW_COLUMNS}
              rows={data.slow}
              keyOf={({ displayId }) => displayId}
              toneOf={(mailbox) => `row-${toneOf(fullness(mailbox))}`}
            />
            <p>
              <a href={routeHash('mailboxes', new URLSearchParams({ sort: '-queueEvents' }))}>
                All mailboxes by queue
              </a>
            </p>
          </>
        )}
      </section>
      <section class="card wide" aria-labelledby="notable-title">
        <h2 id="notable-title">Recent problems</h2>
        {data && notable.length === 0 && <Empty>No problem in the retained events.</Empty>}
        {data && notable.length > 0 && (
          <>
            <EventsTable caption="Recent problems" events={notable.slice(0, MAX_EVENTS)} all={data.events} />
            <p>
              <a href="#events">All events</a>
            </p>
          </>
        )}
      </section>
    </div>
  );
}

function Traffic({ status }: { status: Status }) {
  const series = useShared().history.series(TOTALS);
  const received = series[1].at(-1) ?? 0;
  const sent = series[2].at(-1) ?? 0;
  return (
    <section class="card" aria-labelledby="traffic-title">
      <h2 id="traffic-title">Traffic</h2>
      <ChartLegend received={received} sent={sent} />
      <RateChart series={series} nowMs={nowOf(status)} received={received} sent={sent} isLarge />
      <p>
        <a href="#mailboxes">{number(status.mailboxes)} mailboxes</a> with {bytes(status.totals.waitingBytes)}{' '}
        not delivered
      </p>
    </section>
  );
}

function Readiness({ status }: { status: Status }) {
  return (
    <section class="card" aria-labelledby="readiness-title">
      <h2 id="readiness-title">Readiness</h2>
      <p class="big">
        <Badge tone={status.ready ? 'good' : 'bad'}>{status.ready ? 'Ready' : 'Not ready'}</Badge>{' '}
        <span class="muted">stage: {status.stage}</span>
      </p>
      <ul class="checks">
        {status.checks.map(({ name, ok, message }) => (
          <li key={name}>
            <Badge tone={ok ? 'good' : 'bad'}>{ok ? 'ok' : 'failed'}</Badge> <b>{name}</b>{' '}
            {message && <span class={ok ? 'muted' : 'strong'}>{message}</span>}
          </li>
        ))}
      </ul>
      <dl class="facts">
        <dt>Version</dt>
        <dd>{status.version}</dd>
        <dt>Started</dt>
        <dd>
          <Time at={status.startedAt} /> UTC
        </dd>
      </dl>
    </section>
  );
}

function DaemonConnection({ status }: { status: Status }) {
  const { daemon } = status;
  const now = new Date(nowOf(status)).toISOString();
  const changes = [...daemon.history].reverse();
  return (
    <section class="card" aria-labelledby="daemon-title">
      <h2 id="daemon-title">Daemon connection</h2>
      <p class="big">
        <Badge tone={daemon.up ? 'good' : 'bad'}>{daemon.up ? 'Up' : 'Down'}</Badge>{' '}
        {daemon.up && (
          <>
            <b class="name">{daemon.address}</b> <span class="muted">Spread {daemon.version}</span>
          </>
        )}
      </p>
      <h3>History</h3>
      {changes.length === 0 && <Empty>No connection yet.</Empty>}
      <ol class="history">
        {changes.map((change) => (
          <li key={change.at}>
            <DaemonHistoryEntry change={change} now={now} />
          </li>
        ))}
      </ol>
    </section>
  );
}

function DaemonHistoryEntry({ change, now }: { change: DaemonChange; now: string }) {
  return (
    <>
      <Badge tone={change.up ? 'good' : 'bad'}>{change.up ? 'up' : 'down'}</Badge> <Time at={change.at} />{' '}
      <span class="muted">
        (<Ago at={change.at} now={now} />)
      </span>{' '}
      {change.up ? <span class="name">{change.daemon}</span> : change.message}
    </>
  );
}
