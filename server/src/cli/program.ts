import { Command, type Help } from 'commander';
import { checkCommand } from './commands/check.js';
import { completionCommand } from './commands/completion.js';
import { configCommand } from './commands/config.js';
import { daemonCommand } from './commands/daemon.js';
import { eventsCommand } from './commands/events.js';
import { floodCommand } from './commands/flood.js';
import { groupsCommand } from './commands/groups.js';
import { healthcheckCommand } from './commands/healthcheck.js';
import { mailboxesCommand } from './commands/mailboxes.js';
import { receiveCommand } from './commands/receive.js';
import { sendCommand } from './commands/send.js';
import { serveCommand } from './commands/serve.js';
import { tapCommand } from './commands/tap.js';
import { topCommand } from './commands/top.js';
import { userCommand } from './commands/user.js';
import type { CommandContext, Done } from './context.js';
import { EXIT_CODES } from './exit-codes.js';
import { helpWidth, NarrowHelp } from './help.js';
import { packageVersion } from './package-files.js';

const exitCodeHelp = () =>
  ['', 'Exit codes:', ...EXIT_CODES.map(({ code, meaning }) => `  ${String(code).padEnd(4)}${meaning}`)].join(
    '\n',
  );

/** A command with subcommands whose help texts fit a terminal. */
class SidecarCommand extends Command {
  constructor(
    name: string,
    private readonly helpTopic: string | undefined,
  ) {
    super(name);
  }

  override createHelp(): Help {
    return new NarrowHelp(this.helpTopic);
  }
}

/** All commands. Heavy modules are loaded only when a command runs. */
export function createProgram(context: CommandContext, done: Done, helpTopic?: string): Command {
  const program = new SidecarCommand('spread-sidecar', helpTopic)
    .description('Group communication with Spread over gRPC: the sidecar and its commands.')
    .version(packageVersion(), '-v, --version')
    .helpCommand('help [command]', 'print the help of a command')
    .showHelpAfterError('add --help to list the arguments and options')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text),
      getOutHelpWidth: () => helpWidth(context.stdout.columns),
      getErrHelpWidth: () => helpWidth(context.stderr.columns),
    })
    .addHelpText('after', exitCodeHelp);
  for (const make of [
    serveCommand,
    daemonCommand,
    userCommand,
    sendCommand,
    receiveCommand,
    floodCommand,
    checkCommand,
    healthcheckCommand,
    topCommand,
    tapCommand,
    mailboxesCommand,
    groupsCommand,
    eventsCommand,
    configCommand,
    completionCommand,
  ])
    program.addCommand(withHelp(make(context, done)));
  const version = new Command('version').summary('print the release, as --version does').action(async () => {
    await context.stdout.line(packageVersion());
  });
  program.addCommand(withHelp(version));
  return program;

  function withHelp(command: Command): Command {
    command.createHelp = () => program.createHelp();
    return command.copyInheritedSettings(program);
  }
}
