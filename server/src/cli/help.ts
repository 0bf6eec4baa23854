import { Help, type Option } from 'commander';
import { sectionTitles } from '../config/index.js';
import { CommandFailure } from './command-failure.js';
import { ExitCode } from './exit-codes.js';

/** Widest help, also where the terminal is wider: long lines are hard to read. */
const MAX_COLUMNS = 100;
const INDENT = 2;

/** How wide help is printed. */
export const helpWidth = (columns: number): number => Math.max(40, Math.min(columns, MAX_COLUMNS));

/**
 * Help that fits a terminal: where a description does not fit beside its flag, it stands indented below.
 *
 * @param section - of options of the configuration, only those of this section; undefined: all
 */
export class NarrowHelp extends Help {
  constructor(private readonly section: string | undefined) {
    super();
  }

  override visibleOptions(command: Parameters<Help['visibleOptions']>[0]): Option[] {
    const options = super.visibleOptions(command);
    const heading = this.section && sectionTitles.get(this.section);
    return heading === undefined
      ? options
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

  // Descriptions beside their flags stand under each other, unless a flag is so long that they would have no room.
  override padWidth(...[command, helper]: Parameters<Help['padWidth']>): number {
    return Math.min(super.padWidth(command, helper), 24);
  }
}

/** Takes the section out of `serve --help SECTION`; the arguments as they are where there is none. */
export function splitHelpSection(args: readonly string[]): {
  readonly args: readonly string[];
  readonly section: string | undefined;
} {
  const [command, flag, section] = args;
  const takes = (command === 'serve' || command === 'check') && (flag === '--help' || flag === '-h');
  if (!takes || section === undefined || args.length > 3) return { args, section: undefined };
  return { args: [command, flag], section };
}

/** @throws CommandFailure that names the sections, when there is none of this name */
export function checkHelpSection(section: string | undefined): void {
  if (section === undefined || sectionTitles.has(section)) return;
  const known = [...sectionTitles.keys()].join(', ');
  throw new CommandFailure(
    `--help: there is no section '${section}'; the sections are ${known}`,
    ExitCode.usage,
  );
}

/** A line of help that names the sections. */
export const helpSections = (): string =>
  `--help SECTION shows one of ${[...sectionTitles.keys()].join(', ')}.`;
