import { Help, type Option } from 'commander';
import { optionFlags, sectionTitles } from '../config/index.js';
import { CommandFailure } from './command-failure.js';
import { ExitCode } from './exit-codes.js';

/** Largest width of help text. Longer lines are hard to read, even on a wider terminal. */
const MAX_COLUMNS = 100;
const INDENT = 2;

/** The width of help text on this terminal. */
export const helpWidth = (columns: number): number => Math.max(40, Math.min(columns, MAX_COLUMNS));

/**
 * Help that fits a terminal. A description that does not fit beside its flag is indented below it.
 *
 * @param topic - selects options of this section or with this word in their name; undefined: all
 */
export class NarrowHelp extends Help {
  constructor(private readonly topic: string | undefined) {
    super();
  }

  override visibleOptions(command: Parameters<Help['visibleOptions']>[0]): Option[] {
    const options = super.visibleOptions(command);
    const { topic } = this;
    if (topic === undefined) return options;
    const heading = sectionTitles.get(topic);
    return heading === undefined
      ? options.filter(({ long }) => long && isAbout(long, topic))
      : options.filter((option) => option.helpGroupHeading === `${heading}:`);
  }

  override formatItem(term: string, termWidth: number, description: string): string {
    const width = (this.helpWidth ?? 80) - INDENT;
    const margin = ' '.repeat(INDENT);
    if (description === '') return margin + term;
    const beside = `${term.padEnd(termWidth + term.length - this.displayWidth(term))}  ${description}`;
    if (this.displayWidth(beside) <= width && !description.includes('\n')) return margin + beside;
    const below = this.boxWrap(description, width - 4).replaceAll('\n', `\n${margin}    `);
    return `${margin}${term}\n${margin}    ${below}`;
  }

  // Descriptions are aligned beside their flags, unless a flag is too long.
  override padWidth(...[command, helper]: Parameters<Help['padWidth']>): number {
    return Math.min(super.padWidth(command, helper), 24);
  }
}

/** Splits the topic of `serve --help TOPIC` from the arguments. Without a topic, the arguments are unchanged. */
export function splitHelpTopic(args: readonly string[]): {
  readonly args: readonly string[];
  readonly topic: string | undefined;
} {
  const [command, flag, topic] = args;
  const takes = (command === 'serve' || command === 'check') && (flag === '--help' || flag === '-h');
  if (!takes || topic === undefined || args.length > 3) return { args, topic: undefined };
  return { args: [command, flag], topic };
}

/** @throws CommandFailure that names the sections, when no section and no option matches the topic */
export function checkHelpTopic(topic: string | undefined): void {
  if (topic === undefined || sectionTitles.has(topic)) return;
  if (optionFlags().some(({ flags }) => isAbout(flags.split(' ')[0] as string, topic))) return;
  const known = [...sectionTitles.keys()].join(', ');
  throw new CommandFailure(
    `--help: no section or option is named '${topic}'; the sections are ${known}`,
    ExitCode.usage,
  );
}

/**
 * Whether a flag contains this word in the singular or plural: `tls`, `token` and `tokens` for
 * `--grpc-token-file`.
 */
function isAbout(flag: string, topic: string): boolean {
  const singular = (word: string) => word.toLowerCase().replace(/s$/, '');
  return flag.split('-').some((word) => word !== '' && singular(word) === singular(topic));
}

/** A line of help that names the sections. */
export const helpSections = (): string =>
  `--help SECTION shows the options of one section: ${[...sectionTitles.keys()].join(', ')}. --help WORD shows the options with this word in their names, such as tls.`;
