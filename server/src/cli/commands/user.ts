import { Command } from 'commander';
import { addConnectionOptions, type ConnectionOptions, withMailbox } from '../connection/connection.js';
import { reportLostConnection } from '../connection/connection-watch.js';
import type { CommandContext, Done } from '../context.js';
import { ExitCode } from '../exit-codes.js';
import { Interruption } from '../terminal/interruption.js';
import { LineConsole } from '../user/line-console.js';
import { userCommandHelp, userCommands } from '../user/user-commands.js';
import { UserSession } from '../user/user-session.js';

export function userCommand(context: CommandContext, done: Done): Command {
  const command = new Command('user')
    .summary('join groups, send and receive interactively')
    .description(
      'Uses Spread interactively, like spuser: join groups, send messages, see messages and membership changes. Reads commands from the terminal, or from a pipe without prompts. Without --user, the private name is user, or user2, user3, … if the name is in use.',
    )
    .addHelpText('after', () => `\nCommands at the prompt:\n${userCommandHelp()}`);
  return addConnectionOptions(command, context).action(async (options: ConnectionOptions) => {
    done(await user(context, options));
  });
}

async function user(context: CommandContext, options: ConnectionOptions): Promise<number> {
  const name = options.user === undefined ? ({ privateName: 'user', onNameConflict: 'SUFFIX' } as const) : {};
  return withMailbox(context, options, { ...name, autoReceive: true }, async (mailbox) => {
    const interrupted = new AbortController();
    const signal = AbortSignal.any([context.signal, interrupted.signal]);
    // In raw mode, Ctrl-C is a key and no signal. Like a signal, the first one ends gracefully, and the second
    // immediately.
    const onInterrupt = () => {
      if (interrupted.signal.aborted) process.exit(130);
      interrupted.abort(new Interruption('SIGINT', 130));
    };
    const words = userCommands.flatMap((command) =>
      command.names.filter((word) => word.length > 1).map((word) => `${word} `),
    );
    const complete = (line: string): string[] => {
      const start = line.slice(line.lastIndexOf(' ') + 1);
      return (line.includes(' ') ? [...session.groups] : words).filter((word) => word.startsWith(start));
    };
    const lines: LineConsole = new LineConsole({ ...context, signal }, complete, onInterrupt);
    const session: UserSession = new UserSession(mailbox, lines, context.stdout.colors, signal);
    reportLostConnection(mailbox, (text) => void lines.print(context.stdout.colors.red(text)));
    try {
      const { daemon, daemonVersion, privateGroup } = mailbox;
      await lines.print(`connected to ${daemon} (Spread ${daemonVersion.join('.')}) as ${privateGroup}`);
      if (lines.isTerminal) await lines.print('h lists the commands');
      await session.run();
    } catch (error) {
      // A requested stop is a normal end.
      if (!(signal.aborted && signal.reason instanceof Interruption)) throw error;
    } finally {
      lines.close();
    }
    return ExitCode.ok;
  });
}
