import { Command } from 'commander';
import { readPage } from '../admin/admin-client.js';
import { type AdminOptions, addAdminOptions, adminPort } from '../admin/admin-options.js';
import { followEvents, printEvents } from '../admin/follow-events.js';
import type { CommandContext, Done } from '../context.js';
import { ExitCode } from '../exit-codes.js';

interface EventsOptions extends AdminOptions {
  readonly follow?: boolean;
}

export function eventsCommand(context: CommandContext, done: Done): Command {
  const command = new Command('events')
    .summary('print the last events of a running sidecar')
    .description(
      'Prints the last 200 events of a running sidecar: opened and ended mailboxes, slow consumers, rejected credentials, and state changes of the daemon. Reads /events.json of the admin port.',
    )
    .option('-f, --follow', 'also print new events, until you stop the command');
  return addAdminOptions(command, context, 'print one JSON object per line').action(
    async (options: EventsOptions) => done(await events(context, options)),
  );
}

async function events(context: CommandContext, options: EventsOptions): Promise<number> {
  const port = await adminPort(context, options);
  const isJson = options.json ?? false;
  const read = (after?: number) => readPage(port, '/events.json', 'events', { after });
  if (options.follow) return followEvents(context, read, isJson);
  await printEvents(context, await read(), isJson);
  return ExitCode.ok;
}
