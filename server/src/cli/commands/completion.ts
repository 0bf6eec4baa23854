import { Argument, Command } from 'commander';
import type { CommandModel } from '../completion/command-model.js';
import type { CommandContext, Done } from '../context.js';
import { ExitCode } from '../exit-codes.js';

/** By shell. */
const SCRIPTS: Readonly<Record<string, () => Promise<(commands: readonly CommandModel[]) => string>>> = {
  bash: async () => (await import('../completion/bash.js')).bashCompletion,
  zsh: async () => (await import('../completion/zsh.js')).zshCompletion,
  fish: async () => (await import('../completion/fish.js')).fishCompletion,
};

const INSTALLATION = [
  '\nTo load the completion in each new shell:',
  "  bash   echo 'source <(spread-sidecar completion bash)' >> ~/.bashrc",
  "  zsh    echo 'source <(spread-sidecar completion zsh)' >> ~/.zshrc",
  '         (after the line with compinit)',
  '  fish   spread-sidecar completion fish \\',
  '           > ~/.config/fish/completions/spread-sidecar.fish',
].join('\n');

export function completionCommand(context: CommandContext, done: Done): Command {
  return new Command('completion')
    .summary('print a completion script for a shell')
    .description(
      'Prints a script with which a shell completes the commands, options and values of spread-sidecar. The script does not run spread-sidecar.',
    )
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(SCRIPTS)))
    .addHelpText('after', INSTALLATION)
    .action(async (shell: string, _options: object, command: Command) => {
      const { commandModels } = await import('../completion/command-model.js');
      const script = await SCRIPTS[shell]!();
      await context.stdout.write(script(commandModels(command.parent!)));
      done(ExitCode.ok);
    });
}
