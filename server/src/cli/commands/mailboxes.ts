import { Command } from 'commander';
import { addAdminOptions, addRowOptions, type RowOptions } from '../admin/admin-options.js';
import { MAILBOX_COLUMNS, MAILBOX_ORDERS } from '../admin/mailbox-columns.js';
import { printRows, type RowsPage } from '../admin/rows.js';
import type { CommandContext, Done } from '../context.js';

const PAGE: RowsPage = { path: '/mailboxes.json', list: 'mailboxes', columns: MAILBOX_COLUMNS };

export function mailboxesCommand(context: CommandContext, done: Done): Command {
  const command = new Command('mailboxes')
    .summary('list the mailboxes of a running sidecar')
    .description(
      'Lists the mailboxes of a running sidecar, with their queues and rates. Reads /mailboxes.json of the admin port.',
    );
  addRowOptions(command, MAILBOX_ORDERS, 'the private group or client');
  return addAdminOptions(command, context, 'print the page as a JSON object').action(
    async (options: RowOptions) => done(await printRows(context, PAGE, options)),
  );
}
