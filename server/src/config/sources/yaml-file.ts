import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
} from 'yaml';
import { didYouMean } from '../did-you-mean.js';
import type { Mistake } from '../mistakes.js';
import { type OptionRow, optionRows, sectionEntries } from '../option-rows.js';
import { quote } from '../values/value-type.js';
import { type Entry, type Given, type Source, sourceText } from './entry.js';

/** The text of a configuration file. */
export interface ConfigFile {
  /** The path as the operator wrote it, for messages. */
  readonly path: string;
  readonly text: string;
}

/**
 * Largest accepted file. A configuration has some kilobytes, and the parser's time can grow with the square of the
 * size.
 */
const MAX_FILE_CHARACTERS = 64 * 1024;

/**
 * More items than any list can have. Each item can be an alias, and resolving an alias searches the whole file.
 */
const MAX_ITEMS = 300;

/** Number of reported syntax errors. Later errors mostly follow from the first. */
const MAX_SYNTAX_ERRORS = 10;

const byKey = new Map(optionRows.map((row) => [row.key as string, row]));
const keysBySection = new Map(
  sectionEntries().map(([section, { options }]) => [section as string, Object.keys(options)]),
);

/** Reads options from a YAML file, which has sections with option names. */
export function readYamlFile(file: ConfigFile): Given {
  return new YamlReader(file).read();
}

class YamlReader {
  readonly #lines = new LineCounter();
  readonly #entries: Entry[] = [];
  readonly #mistakes: Mistake[] = [];
  #document: Document.Parsed | undefined;

  constructor(readonly file: ConfigFile) {}

  read(): Given {
    const { path, text } = this.file;
    if (text.length <= MAX_FILE_CHARACTERS)
      this.#readDocument(parseDocument(text, { lineCounter: this.#lines, prettyErrors: false }));
    else {
      const message = `the file has more than ${MAX_FILE_CHARACTERS} characters`;
      this.#mistakes.push({ option: path, where: `${path}:1:1`, message });
    }
    return { entries: this.#entries, mistakes: this.#mistakes };
  }

  #readDocument(document: Document.Parsed): void {
    this.#document = document;
    for (const problem of [...document.errors, ...document.warnings].slice(0, MAX_SYNTAX_ERRORS)) {
      // The parser quotes text of the file, which can be a secret.
      const tooDeep = problem.code === 'RESOURCE_EXHAUSTION';
      const sentence = tooDeep
        ? 'the values are nested too deeply'
        : problem.message.replace(/[:"].*$/s, '').trim();
      this.#mistakes.push({
        option: this.file.path,
        where: sourceText(this.#at(problem.pos[0])),
        message: `not YAML: ${sentence}`,
      });
    }
    if (document.errors.length > 0) return;
    const root = this.#resolved(document.contents);
    if (root === undefined || isEmpty(root)) return;
    if (isMap(root)) for (const { key, value } of root.items) this.#readTop(key as Node | null, value, root);
    else this.#mistake(this.file.path, root, 'the file must contain sections with options, such as `grpc:`');
  }

  #readTop(key: Node | null, value: unknown, at: Node): void {
    const name = nameOf(key);
    const keys = keysBySection.get(name);
    if (keys) this.#readSection(name, keys, this.#resolved(value));
    else this.#mistake(name, key ?? at, unknownSection(name));
  }

  #readSection(section: string, keys: readonly string[], node: Node | undefined): void {
    // A section whose lines are all comments is empty.
    if (node === undefined || isEmpty(node)) return;
    if (!isMap(node)) {
      this.#mistake(section, node, `${section} is a section; its keys are ${keys.join(', ')}`);
      return;
    }
    for (const { key, value } of node.items) {
      const name = nameOf(key);
      const row = byKey.get(`${section}.${name}`);
      if (row) this.#readOption(row, value, key as Node);
      else this.#mistake(`${section}.${name}`, (key as Node | null) ?? node, unknownKey(section, keys, name));
    }
  }

  #readOption(row: OptionRow, value: unknown, key: Node): void {
    // The location of an alias is its own line, not that of its anchor.
    const place = (value as Node | null) ?? key;
    const node = this.#resolved(value);
    const given = node && this.#given(row, node);
    if (given !== undefined) this.#entries.push({ row, given, source: this.#at(place.range?.[0]) });
    else if (node === undefined || isEmpty(node))
      this.#mistake(row.key, key, `${row.key} has no value; ${emptyAdvice}`);
    else this.#mistake(row.key, place, `${row.key} must be ${row.type.expects}; got ${shapeOf(node)}`);
  }

  #given(row: OptionRow, node: Node): string | readonly string[] | undefined {
    if (isSeq(node) && row.isList) return this.#items(node.items);
    return isScalar(node) && !isEmpty(node) ? scalarText(node) : undefined;
  }

  #items(nodes: readonly unknown[]): string[] | undefined {
    if (nodes.length > MAX_ITEMS) return undefined;
    const texts: string[] = [];
    for (const item of nodes) {
      const node = this.#resolved(item);
      if (!isScalar(node) || isEmpty(node)) return undefined;
      texts.push(scalarText(node));
    }
    return texts;
  }

  #resolved(node: unknown): Node | undefined {
    if (isAlias(node)) return (node.resolve(this.#document!) as Node | undefined) ?? node;
    return (node as Node | null) ?? undefined;
  }

  #at(offset = 0): Source {
    const { line, col } = this.#lines.linePos(offset);
    return { kind: 'file', path: this.file.path, line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  #mistake(option: string, node: Node, message: string): void {
    this.#mistakes.push({ option, where: sourceText(this.#at(node.range?.[0])), message });
  }
}

const emptyAdvice = 'remove the line to use the default, or write "" for an empty value';

// Uses the text as written, not the value that YAML derives: 0660 is a file mode, 4803 is a Spread name, and 1_0
// is not a number.
function scalarText(node: Scalar): string {
  return node.type === 'PLAIN' ? (node.source ?? String(node.value)) : String(node.value);
}

function isEmpty(node: Node): boolean {
  return isScalar(node) && node.value === null;
}

function nameOf(key: unknown): string {
  return isScalar(key) ? scalarText(key) : '?';
}

function shapeOf(node: Node): string {
  if (isAlias(node)) return 'an alias without anchor';
  if (isMap(node)) return 'a mapping';
  return isSeq(node) ? `a list of ${node.items.length}` : 'not a value';
}

function unknownSection(name: string): string {
  const [section, ...rest] = name.split('.');
  if (byKey.has(name))
    return `${quote(name)} must be two levels: write ${section}: and under it ${rest.join('.')}:`;
  const near = didYouMean(name, [...keysBySection.keys()]) || elsewhere(name);
  return `unknown section ${quote(name)}${near || `; the sections are ${[...keysBySection.keys()].join(', ')}`}`;
}

function unknownKey(section: string, keys: readonly string[], name: string): string {
  const near = didYouMean(name, keys) || elsewhere(name);
  return `unknown key ${quote(name)} in ${section}${near || `; its keys are ${keys.join(', ')}`}`;
}

/** The key exists in another section. */
function elsewhere(name: string): string {
  const rows = optionRows.filter((row) => row.name === name);
  return rows.length === 1 ? `; did you mean ${rows[0]!.key}?` : '';
}
