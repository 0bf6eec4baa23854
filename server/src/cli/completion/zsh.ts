import type { CommandModel, OptionModel } from './command-model.js';
import { quoted } from './shell-text.js';

/** A script for zsh, to be sourced or installed as _spread-sidecar in a folder of fpath. */
export function zshCompletion(commands: readonly CommandModel[]): string {
  const [program, ...others] = commands as [CommandModel, ...CommandModel[]];
  const names = others.map(
    ({ name, summary }) => `      ${quoted(`${name}:${summary.replaceAll(':', '\\:')}`)}`,
  );
  const cases = others.map(({ name, options, words }) => {
    const specs = [
      ...options.flatMap(optionSpecs),
      words.length > 0 ? `1:argument:(${words.join(' ')})` : '*: :',
    ];
    return `    ${name})\n      _arguments ${specs.map((spec) => `\\\n        ${quoted(spec)}`).join(' ')} ;;`;
  });
  return `#compdef spread-sidecar
# Completion of spread-sidecar in zsh. Load it with: source <(spread-sidecar completion zsh)
_spread_sidecar() {
  if ((CURRENT == 2)) && [[ \${words[2]} != -* ]]; then
    local -a commands=(
${names.join('\n')}
    )
    _describe -t commands command commands
    return
  fi
  local command=\${words[2]}
  if ((CURRENT == 2)); then command=; else shift words; ((CURRENT--)); fi
  case $command in
    '')
      _arguments ${program.options.flatMap(optionSpecs).map(quoted).join(' ')} ;;
${cases.join('\n')}
  esac
}
if [[ \${funcstack[1]} == _spread-sidecar ]]; then _spread_sidecar "$@"; else compdef _spread_sidecar spread-sidecar; fi
`;
}

/** The long and the short form of an option for _arguments. Each can occur several times. */
function optionSpecs({ long, short, description, value, words, isFile }: OptionModel): string[] {
  const text = description.replace(/[\\\]:[]/g, '\\$&');
  const action = words.length > 0 ? `(${words.join(' ')})` : isFile ? '_files' : ' ';
  const suffix = value === 'none' ? '' : `${value === 'optional' ? '::' : ':'}value:${action}`;
  const specs = [`*${long}${value === 'none' ? '' : '='}[${text}]${suffix}`];
  if (short !== undefined) specs.push(`*${short}[${text}]${suffix}`);
  return specs;
}
