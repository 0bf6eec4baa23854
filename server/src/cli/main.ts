import { CommanderError } from 'commander';
import { CommandFailure, describeFailure } from './command-failure.js';
import { type CommandIo, createContext, processIo } from './context.js';
import { ExitCode } from './exit-codes.js';
import { checkHelpTopic, splitHelpTopic } from './help.js';
import { createProgram } from './program.js';
import { Interruption } from './terminal/interruption.js';

/**
 * Runs one command of `spread-sidecar`. Only a second signal ends the process directly.
 *
 * @param argv - without the paths of node and of the script
 * @param io - the environment of the command; default: that of the process
 * @returns the exit code, see exit-codes.ts
 */
export async function run(argv: readonly string[] = process.argv.slice(2), io?: CommandIo): Promise<number> {
  const context = createContext(io ?? processIo());
  let exitCode: number = ExitCode.ok;
  const { args, topic } = splitHelpTopic(argv);
  const program = createProgram(
    context,
    (code) => {
      exitCode = code;
    },
    topic,
  );
  try {
    checkHelpTopic(topic);
    await program.parseAsync(args as string[], { from: 'user' });
  } catch (error) {
    // Commander has already printed its message or the requested help.
    if (error instanceof CommanderError) exitCode = error.exitCode === 0 ? ExitCode.ok : ExitCode.usage;
    else exitCode = await explain(error);
  }
  await context.close();
  return exitCode;

  async function explain(error: unknown): Promise<number> {
    const { reason } = context.signal;
    // A failure after a requested stop is caused by the stop.
    const stopReason = context.signal.aborted ? reason : undefined;
    if (stopReason instanceof Interruption) return stopReason.exitCode;
    const failure = describeFailure(stopReason instanceof CommandFailure ? stopReason : error);
    await context.stderr.line(`${context.stderr.colors.red('error')}: ${failure.message}`);
    return failure.exitCode;
  }
}
