import { Command } from 'commander';
import { addAdminOptions, addRowOptions, type RowOptions } from '../admin/admin-options.js';
import { column, printRows, type RowsPage } from '../admin/rows.js';
import type { CommandContext, Done } from '../context.js';

const PAGE: RowsPage = {
  path: '/groups.json',
  list: 'groups',
  columns: [
    column('GROUP', 'group'),
    column('MEMBERS', 'memberCount', true),
    column('MAILBOXES', 'mailboxes', true),
    column('LAST CHANGE', 'lastChange.at'),
    column('CAUSE', 'lastChange.cause'),
    column('CHANGED', 'lastChange.changed'),
    column('DAEMON', 'daemon'),
  ],
};

export function groupsCommand(context: CommandContext, done: Done): Command {
  const command = new Command('groups')
    .summary('list the groups of a running sidecar')
    .description(
      'Lists the groups that mailboxes of a running sidecar are in, with the last membership change of each group. Reads /groups.json of the admin port.',
    );
  addRowOptions(command, ['group', 'members', 'mailboxes', 'lastChange'], 'the group');
  return addAdminOptions(command, context, 'print the page as a JSON object').action(
    async (options: RowOptions) => done(await printRows(context, PAGE, options)),
  );
}
