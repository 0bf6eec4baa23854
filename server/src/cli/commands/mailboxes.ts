import { Command } from 'commander';
import { addAdminOptions, addRowOptions, type RowOptions } from '../admin/admin-options.js';
import { column, field, printRows, type RowsPage } from '../admin/rows.js';
import type { CommandContext, Done } from '../context.js';

const ORDERS = [
  ...['displayId', 'privateGroup', 'client', 'queueEvents', 'queueBytes'],
  ...['receivedPerSecond', 'sentPerSecond'],
];

const PAGE: RowsPage = {
  path: '/mailboxes.json',
  list: 'mailboxes',
  columns: [
    column('ID', 'displayId'),
    column('PRIVATE GROUP', 'privateGroup'),
    column('STATE', 'state'),
    {
      title: 'QUEUE',
      isNumber: true,
      value: (row) => `${field(row, 'queue.events')}/${field(row, 'queue.maxEvents')}`,
    },
    column('BYTES', 'queue.bytes', true),
    column('IN/S', 'received.perSecond', true),
    column('OUT/S', 'sent.perSecond', true),
    column('GROUPS', 'groupCount', true),
    {
      title: 'RECEIVER',
      value: (row) => (field(row, 'receiverAttached') === 'true' ? 'yes' : 'no'),
    },
    column('CLIENT', 'client'),
  ],
};

export function mailboxesCommand(context: CommandContext, done: Done): Command {
  const command = new Command('mailboxes')
    .summary('list the mailboxes of a running sidecar')
    .description(
      'Lists the mailboxes of a running sidecar, with their queues and rates. Reads /mailboxes.json of the admin port.',
    );
  addRowOptions(command, ORDERS, 'the private group or client');
  return addAdminOptions(command, context, 'print the page as a JSON object').action(
    async (options: RowOptions) => done(await printRows(context, PAGE, options)),
  );
}
