import type { Command, Option } from 'commander';
import { SuggestingOption } from '../terminal/suggesting-option.js';

/** A command, as completion in a shell needs it. */
export interface CommandModel {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionModel[];
  /** Values of the first argument. */
  readonly words: readonly string[];
}

export interface OptionModel {
  /** `--sort`. */
  readonly long: string;
  /** `-s`. */
  readonly short: string | undefined;
  readonly description: string;
  readonly value: 'none' | 'optional' | 'required';
  /** Values that completion suggests. */
  readonly words: readonly string[];
  /** Whether the value can be the path of a file. */
  readonly isFile: boolean;
}

/** Longest description that a shell shows beside a word. Unit: characters. */
const MAX_DESCRIPTION = 100;

/** The visible commands of a program. Its own options have the name of a command that is empty. */
export function commandModels(program: Command): readonly CommandModel[] {
  const commands = program.createHelp().visibleCommands(program);
  const names = commands.map((command) => command.name());
  return [program, ...commands].map((command) => ({
    name: command === program ? '' : command.name(),
    summary: firstSentence(command.summary() || command.description()),
    options: command.createHelp().visibleOptions(command).map(optionModel),
    words:
      command === program || command.name() === 'help'
        ? names
        : (command.registeredArguments[0]?.argChoices ?? []),
  }));
}

function optionModel(option: Option): OptionModel {
  const { long, short, description, flags, required, optional } = option;
  return {
    long: long!,
    short,
    description: firstSentence(description),
    value: required ? 'required' : optional ? 'optional' : 'none',
    words: option instanceof SuggestingOption ? option.suggestions : [],
    isFile: /[<|](path|file)\b/.test(flags),
  };
}

function firstSentence(text: string): string {
  const sentence = /^.*?(?=\. |\.?$|\n| \()/.exec(text)?.[0] ?? text;
  return sentence.length > MAX_DESCRIPTION ? `${sentence.slice(0, MAX_DESCRIPTION - 1)}…` : sentence;
}
