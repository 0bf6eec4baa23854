import type { CommandModel, OptionModel } from './command-model.js';
import { quoted } from './shell-text.js';

/** A script for fish, to be sourced or installed as spread-sidecar.fish. */
export function fishCompletion(commands: readonly CommandModel[]): string {
  const [program, ...others] = commands as [CommandModel, ...CommandModel[]];
  const lines = program.options.map((option) => optionLine('__spread_sidecar_is_first', option));
  for (const { name, summary, options, words } of others) {
    lines.push(
      `complete -c spread-sidecar -n __spread_sidecar_is_first -a ${name} -d ${fishQuoted(summary)}`,
    );
    const condition = quoted(`__spread_sidecar_is ${name}`);
    lines.push(...options.map((option) => optionLine(condition, option)));
    if (words.length > 0) {
      const isArgument = quoted(`__spread_sidecar_is ${name}; and __spread_sidecar_is_second`);
      lines.push(`complete -c spread-sidecar -n ${isArgument} -a ${quoted(words.join(' '))}`);
    }
  }
  return `# Completion of spread-sidecar in fish. Load it with: spread-sidecar completion fish | source
function __spread_sidecar_is_first
  test (count (commandline -opc)) -eq 1
end
function __spread_sidecar_is_second
  test (count (commandline -opc)) -eq 2
end
function __spread_sidecar_is
  set -l words (commandline -opc)
  test (count $words) -ge 2; and test $words[2] = $argv[1]
end
complete -c spread-sidecar -f
${lines.join('\n')}
`;
}

function optionLine(
  condition: string,
  { long, short, description, value, words, isFile }: OptionModel,
): string {
  const parts = [`complete -c spread-sidecar -n ${condition} -l ${long.replace(/^--/, '')}`];
  if (short !== undefined) parts.push(`-s ${short.replace(/^-/, '')}`);
  if (value !== 'none') parts.push(isFile ? '-r -F' : '-x');
  if (words.length > 0) parts.push(`-a ${quoted(words.join(' '))}`);
  parts.push(`-d ${fishQuoted(description)}`);
  return parts.join(' ');
}

/** In single quotes, fish knows the escapes \\\\ and \\'. */
const fishQuoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;
