import type { Column } from '../terminal/table.js';
import type { Fields } from './admin-client.js';
import { column, field } from './rows.js';

/** Names for `--sort` of `/mailboxes.json`. */
export const MAILBOX_ORDERS = [
  ...['displayId', 'privateGroup', 'client', 'queueEvents', 'queueBytes'],
  ...['receivedPerSecond', 'sentPerSecond'],
];

/** The columns of a table of mailboxes. */
export const MAILBOX_COLUMNS: readonly Column<Fields>[] = [
  column('ID', 'displayId'),
  column('PRIVATE GROUP', 'privateGroup'),
  column('STATE', 'state'),
  {
    title: 'QUEUE',
    isNumber: true,
    value: (row) => `${field(row, 'queue.events')}/${field(row, 'queue.maxEvents')}`,
  },
  column('BYTES', 'queue.bytes', true),
  rateColumn('IN/S', 'received.perSecond'),
  rateColumn('OUT/S', 'sent.perSecond'),
  column('GROUPS', 'groupCount', true),
  {
    title: 'RECEIVER',
    value: (row) => (field(row, 'receiverAttached') === 'true' ? 'yes' : 'no'),
  },
  column('CLIENT', 'client'),
];

function rateColumn(title: string, path: string): Column<Fields> {
  return { title, isNumber: true, value: (row) => rateText(field(row, path)) };
}

/** A rate with one decimal. A field without a number is unchanged. */
export function rateText(rate: number | string): string {
  const number = Number(rate);
  return Number.isFinite(number) ? String(Math.round(number * 10) / 10) : String(rate);
}
