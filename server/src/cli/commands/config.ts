import { Command } from 'commander';
import { type AdminOptions, addAdminOptions } from '../admin/admin-options.js';
import { column, field, printRows, type RowsPage } from '../admin/rows.js';
import type { CommandContext, Done } from '../context.js';

const PAGE: RowsPage = {
  path: '/config.json',
  list: 'options',
  columns: [
    column('OPTION', 'key'),
    {
      title: 'VALUE',
      value: (row) =>
        row.effective === undefined
          ? field(row, 'value')
          : `${field(row, 'value')} (${field(row, 'effective')})`,
    },
    { title: 'SOURCE', value: (row) => field(row, row.from === undefined ? 'source' : 'from') },
  ],
};

export function configCommand(context: CommandContext, done: Done): Command {
  const command = new Command('config')
    .summary('print the configuration of a running sidecar')
    .description(
      'Prints every option of a running sidecar with its value and source, without secrets. Reads /config.json of the admin port.',
    );
  return addAdminOptions(command, context, 'print the page as a JSON object').action(
    async (options: AdminOptions) => done(await printRows(context, PAGE, options)),
  );
}
