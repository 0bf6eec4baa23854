import type { CommandModel, OptionModel } from './command-model.js';
import { flagsOf, quoted } from './shell-text.js';

/** A script that works in bash 3.2 and later, without the package bash-completion. */
export function bashCompletion(commands: readonly CommandModel[]): string {
  const values = commands.flatMap(({ name, options }) =>
    options
      .filter(({ value }) => value !== 'none')
      .map((option) => {
        const patterns = flagsOf(option).map((flag) => quoted(`${name} ${flag}`));
        return `    ${patterns.join('|')}) ${suggest(option)} ;;`;
      }),
  );
  const words = commands.map(({ name, options, words: first }) => {
    const flags = options.flatMap(flagsOf).join(' ');
    return `    ${quoted(name)}) options=${quoted(flags)} words=${quoted(first.join(' '))} ;;`;
  });
  return `# Completion of spread-sidecar in bash. Load it with: source <(spread-sidecar completion bash)
_spread_sidecar() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command= options= words=
  local IFS=$' \\t\\n'
  COMPREPLY=()
  if ((COMP_CWORD > 1)); then command=\${COMP_WORDS[1]}; fi
  # Bash divides --option=value into three words.
  if [[ $current == '=' ]]; then current=; elif [[ $previous == '=' ]]; then previous=\${COMP_WORDS[COMP_CWORD-2]}; fi
  case "$command $previous" in
${values.join('\n')}
  esac
  case "$command" in
${words.join('\n')}
  esac
  if [[ $current == -* ]]; then words=$options; elif ((COMP_CWORD > 2)); then words=; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
_spread_sidecar_files() {
  local IFS=$'\\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY+=($(compgen -f -- "$1"))
}
complete -F _spread_sidecar spread-sidecar
`;
}

/** The commands that suggest the values of an option. */
function suggest({ words, isFile, value }: OptionModel): string {
  const steps: string[] = [];
  if (words.length > 0) steps.push(`COMPREPLY=($(compgen -W ${quoted(words.join(' '))} -- "$current"))`);
  if (isFile) steps.push('_spread_sidecar_files "$current"');
  // The word after an option with an optional value can also be another option.
  const end = value === 'optional' ? 'if [[ $current != -* ]]; then return; fi' : 'return';
  return [...steps, end].join('; ');
}
