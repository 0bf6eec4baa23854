import { Command } from 'commander';
import { checkCommand } from './commands/check.js';
import { daemonCommand } from './commands/daemon.js';
import { floodCommand } from './commands/flood.js';
import { healthcheckCommand } from './commands/healthcheck.js';
import { receiveCommand } from './commands/receive.js';
import { sendCommand } from './commands/send.js';
import { serveCommand } from './commands/serve.js';
import { userCommand } from './commands/user.js';
import type { CommandContext, Done } from './context.js';
import { EXIT_CODES } from './exit-codes.js';
import { packageVersion } from './package-files.js';

const exitCodeHelp = () =>
  ['', 'Exit codes:', ...EXIT_CODES.map(({ code, meaning }) => `  ${String(code).padEnd(4)}${meaning}`)].join(
    '\n',
  );

/** All commands. Nothing heavy is loaded before one of them runs. */
export function createProgram(context: CommandContext, done: Done): Command {
  const program = new Command('spread-sidecar')
    .description('Group communication with Spread over gRPC: the sidecar, and commands that use it.')
    .version(packageVersion(), '-V, --version')
    .helpCommand(false)
    .showHelpAfterError('(add --help for what there is)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text),
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
  ])
    program.addCommand(make(context, done).copyInheritedSettings(program));
  return program;
}
