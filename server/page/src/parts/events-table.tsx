import { clientsOf, detailsOf, kindOf } from '../event-text.js';
import { shortIdentity } from '../format.js';
import type { SidecarEvent } from '../types.js';
import { type Column, DataTable } from './data-table.js';
import { Badge, Time } from './small-parts.js';

interface EventsTableProps {
  readonly caption: string;
  /** The newest first. */
  readonly events: readonly SidecarEvent[];
  /** All retained events, which name the clients. */
  readonly all: readonly SidecarEvent[];
}

export function EventsTable({ caption, events, all }: EventsTableProps) {
  const clients = clientsOf(all);
  const columns: readonly Column<SidecarEvent>[] = [
    { title: 'Time (UTC)', cell: ({ at }) => <Time at={at} /> },
    {
      title: 'Event',
      cell: (event) => {
        const { text, tone } = kindOf(event);
        return <Badge tone={tone}>{text}</Badge>;
      },
    },
    {
      title: 'Mailbox',
      cell: ({ mailbox, privateGroup }) =>
        mailbox ? (
          <>
            <b>{mailbox}</b> <span class="name">{privateGroup}</span>
          </>
        ) : (
          ''
        ),
    },
    {
      title: 'Client',
      cell: ({ client, mailbox, peer }) => {
        const identity = client ?? clients.get(mailbox ?? '') ?? '';
        return (
          <>
            <span title={identity}>{shortIdentity(identity)}</span>{' '}
            {peer && <span class="muted">{peer}</span>}
          </>
        );
      },
    },
    {
      title: 'Reason and details',
      cell: (event) => (
        <>
          {event.reason && <b>{event.reason} </b>}
          {event.daemon && (event.kind.startsWith('daemon') || event.kind === 'connect-failed') && (
            <b>{event.daemon} </b>
          )}
          {detailsOf(event)}
        </>
      ),
    },
  ];
  return (
    <DataTable caption={caption} columns={columns} rows={events} keyOf={({ sequence }) => String(sequence)} />
  );
}
