import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import {
  configFilePath,
  flagsFromOptions,
  type LoadedConfig,
  loadConfig,
  optionFlags,
} from '../../config/index.js';
import { filesAtRest } from '../../sidecar/files-at-rest.js';
import { CommandFailure } from '../command-failure.js';
import type { CommandContext } from '../context.js';
import { ExitCode } from '../exit-codes.js';
import { SuggestingOption } from '../terminal/suggesting-option.js';
import { CLIENT_VARIABLES } from './client-variables.js';

/** Adds a flag to a command for every option of the configuration. */
export function addConfigOptions(command: Command): Command {
  for (const { flags, negated, description, group, words, collect } of optionFlags()) {
    const option = new SuggestingOption(flags, description, words).helpGroup(group);
    if (collect) option.argParser(collect);
    command.addOption(option);
    if (negated) command.addOption(new Option(negated).hideHelp());
  }
  return command;
}

/**
 * The configuration from flags, environment and file.
 *
 * @param options - commander's, of a command with {@link addConfigOptions}
 * @throws ConfigError with all mistakes; CommandFailure when the file cannot be read
 */
export async function loadServeConfig(
  { env }: CommandContext,
  options: Readonly<Record<string, unknown>>,
): Promise<LoadedConfig> {
  const flags = flagsFromOptions(options);
  const path = configFilePath(flags, env);
  const file = path === undefined ? undefined : { path, text: await readConfigFile(path) };
  return loadConfig({ flags, env, file, otherVariables: CLIENT_VARIABLES });
}

async function readConfigFile(path: string): Promise<string> {
  const [changing] = await filesAtRest([path]);
  if (changing !== undefined)
    throw new CommandFailure(
      `the configuration file ${path} changes during each read: write a new file and rename it over this one`,
      ExitCode.usage,
    );
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CommandFailure(
      `cannot read the configuration file: ${(error as Error).message}`,
      ExitCode.usage,
      error,
    );
  }
}
