// The prose of a file, as Markdown, with the line of the file for each line of the prose.
import { extname } from 'node:path';

/** Fewer words are a path, a name or a format. */
const MIN_WORDS = 3;

/** @typedef {{ text: string, lineOf: (line: number) => number }} Prose lines count from 1 */

function markdown(text) {
  return { text, lineOf: (line) => line };
}

/** Consecutive comments are one text. Code between them ends the paragraph. */
function protoComments(text) {
  const lines = text.split('\n').map((line) => /^\s*\/\/ ?(.*)$/.exec(line)?.[1] ?? '');
  return { text: lines.join('\n'), lineOf: (line) => line };
}

/** Each message as a paragraph of its own. */
function asParagraphs(found) {
  const prose = [];
  const origins = [];
  for (const { message, line, hasLineBreaks } of found) {
    if (message.trim().split(/\s+/).length < MIN_WORDS) continue;
    // Indented lines would be code in Markdown. The empty line ends the paragraph.
    for (const [i, part] of [...message.split('\n'), ''].entries()) {
      prose.push(part.trim());
      origins.push(hasLineBreaks ? line + i : line);
    }
  }
  return { text: prose.join('\n'), lineOf: (line) => origins[line - 1] ?? 1 };
}

/** A docstring or a string literal, in the languages that have no parser here. */
const STRINGS = /"""(.*?)"""|"((?:[^"\\\n]|\\.)*)"/gs;

function quotedMessages(text) {
  const found = [...text.matchAll(STRINGS)].map(({ 1: docstring, 2: string, index }) => ({
    message: docstring ?? string.replaceAll('\\"', '"'),
    line: text.slice(0, index).split('\n').length,
    hasLineBreaks: docstring !== undefined,
  }));
  return asParagraphs(found);
}

/** Loaded on demand, because the compiler is slow to load. */
async function scriptMessages(text, name) {
  const { messagesOf } = await import('./script-messages.mjs');
  return asParagraphs(messagesOf(text, name));
}

const readers = {
  '.md': markdown,
  '.proto': protoComments,
  '.ts': scriptMessages,
  '.mts': scriptMessages,
  '.mjs': scriptMessages,
  '.py': quotedMessages,
  '.go': quotedMessages,
  '.java': quotedMessages,
  '.rs': quotedMessages,
};

/** @returns {Prose | Promise<Prose>} */
export const proseOf = (text, name) => readers[extname(name)](text, name);
