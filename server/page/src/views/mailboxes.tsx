import { useState } from 'preact/hooks';
import { bytes, number, rate, shortIdentity } from '../format.js';
import { fullness, loadMailboxes, useLive, useShared } from '../live.js';
import { type Column, DataTable, FilterField, Pager, rowsQuery } from '../parts/data-table.js';
import { ChartLegend, RateChart } from '../parts/rate-chart.js';
import { Ago, Badge, Empty, Lease, MailboxState, Names, QueueDepth, toneOf } from '../parts/small-parts.js';
import { changeSettings, type Route } from '../route.js';
import type { Mailbox } from '../types.js';

/** The mailboxes of the sidecar, the fullest queue first. */
export function Mailboxes({ route }: { route: Route }) {
  const { history } = useShared();
  const query = rowsQuery(route, '-queueEvents');
  const { data, isCurrent, mistake } = useLive(
    (live, signal) => loadMailboxes(live, query, signal),
    JSON.stringify(query),
  );
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const toggle = (id: string) => {
    const changed = new Set(open);
    if (!changed.delete(id)) changed.add(id);
    setOpen(changed);
  };
  const now = data?.at ?? '';
  const columns: readonly Column<Mailbox>[] = [
    {
      title: 'Mailbox',
      orders: [
        { name: 'displayId', label: 'ID' },
        { name: 'privateGroup', label: 'private group' },
      ],
      cell: ({ displayId, privateGroup }) => (
        <>
          <button
            type="button"
            class="toggle"
            aria-expanded={open.has(displayId)}
            aria-label={`Details of ${displayId}`}
            onClick={() => toggle(displayId)}
          >
            <b>{displayId}</b>
          </button>{' '}
          <span class="name">{privateGroup}</span>
        </>
      ),
    },
    {
      title: 'Client',
      orders: [{ name: 'client', label: 'client' }],
      cell: ({ client }) => <span title={client}>{shortIdentity(client)}</span>,
    },
    { title: 'State', cell: (mailbox) => <MailboxState mailbox={mailbox} /> },
    {
      title: 'Queue',
      orders: [
        { name: 'queueEvents', label: 'events', isNumber: true },
        { name: 'queueBytes', label: 'bytes', isNumber: true },
      ],
      cell: ({ queue }) => <QueueDepth queue={queue} />,
    },
    {
      title: 'Rate per second',
      orders: [
        { name: 'receivedPerSecond', label: 'in', isNumber: true },
        { name: 'sentPerSecond', label: 'out', isNumber: true },
      ],
      cell: ({ displayId, received, sent }) => (
        <div class="rates">
          <RateChart
            series={history.series(displayId)}
            nowMs={Date.parse(now)}
            received={received.perSecond}
            sent={sent.perSecond}
          />
          <div class="nowrap">
            <span class="in">{rate(received.perSecond)}</span> in
            <br />
            <span class="out">{rate(sent.perSecond)}</span> out
          </div>
        </div>
      ),
    },
    {
      title: 'Receiver and lease',
      cell: (mailbox) => (
        <>
          {mailbox.receiverAttached ? 'attached' : <Badge tone="warning">no receiver</Badge>}
          <br />
          <Lease mailbox={mailbox} now={now} />
        </>
      ),
    },
    {
      title: 'Groups',
      cell: ({ groups, groupCount }) => <Names names={groups} count={groupCount} shown={2} />,
    },
  ];
  return (
    <section aria-labelledby="mailboxes-title">
      <div class="tools">
        <h2 id="mailboxes-title">Mailboxes</h2>
        <FilterField route={route} label="Private group or client contains (same case)" />
        {data && <Pager route={route} rows={data} shown={data.mailboxes.length} limit={query.limit} />}
      </div>
      {mistake && <p class="mistake">{mistake}</p>}
      {data && data.mailboxes.length === 0 && (
        <Empty>{query.filter === '' ? 'No mailbox is open.' : 'No mailbox matches the filter.'}</Empty>
      )}
      {data && data.mailboxes.length > 0 && (
        <DataTable
          caption="Mailboxes"
          columns={columns}
          rows={data.mailboxes}
          keyOf={({ displayId }) => displayId}
          toneOf={(mailbox) => `row-${toneOf(fullness(mailbox))}`}
          sort={query.sort}
          onSort={(sort) => changeSettings(route, { sort, offset: '' })}
          detailsOf={(mailbox) => open.has(mailbox.displayId) && <Details mailbox={mailbox} now={now} />}
          isBusy={!isCurrent}
        />
      )}
    </section>
  );
}

function Details({ mailbox, now }: { mailbox: Mailbox; now: string }) {
  const { history } = useShared();
  const { displayId, client, daemon, openedAt, queue, sendQueue, received, sent, groups, groupCount } =
    mailbox;
  return (
    <div class="mailbox-details">
      <dl class="facts">
        <dt>Client</dt>
        <dd class="name">{client}</dd>
        <dt>Daemon</dt>
        <dd class="name">{daemon}</dd>
        <dt>Opened</dt>
        <dd>
          <Ago at={openedAt} now={now} />
        </dd>
        <dt>Not delivered</dt>
        <dd>
          {number(queue.waitingEvents)} events, {bytes(queue.waitingBytes)}
        </dd>
        <dt>Send queue</dt>
        <dd>
          {bytes(sendQueue.bytes)} of {bytes(sendQueue.maxBytes)}
        </dd>
        <dt>Since opening</dt>
        <dd>
          {number(received.events)} events received, {number(sent.messages)} messages sent
        </dd>
        <dt>Membership messages</dt>
        <dd>{mailbox.membership ? 'yes' : 'no'}</dd>
        <dt>Groups</dt>
        <dd>
          <Names names={groups} count={groupCount} shown={20} />
        </dd>
      </dl>
      <div>
        <ChartLegend received={received.perSecond} sent={sent.perSecond} />
        <RateChart
          series={history.series(displayId)}
          nowMs={Date.parse(now)}
          received={received.perSecond}
          sent={sent.perSecond}
          isLarge
        />
      </div>
    </div>
  );
}
