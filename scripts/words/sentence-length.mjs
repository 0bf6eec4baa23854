// A rule for textlint: a sentence has at most `max` words. The rules of the registry end a sentence at each line break.

const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });

/** A dash or an arrow between spaces is not a word. */
const isWord = (token) => /[\p{L}\p{N}]/u.test(token);

/** The prose of a paragraph, with spaces for the markup, so that each offset is an offset in the source. */
function proseOf(paragraph, getSource, Syntax) {
  const [start] = paragraph.range;
  const characters = Array(paragraph.range[1] - start).fill(' ');
  const write = (node, text) => characters.splice(node.range[0] - start, text.length, ...text.split(''));
  const visit = (node) => {
    if (node.type === Syntax.Str) write(node, getSource(node).replaceAll('\n', ' '));
    // A code span counts as one word. The capital lets it begin a sentence.
    else if (node.type === Syntax.Code) write(node, 'X'.repeat(node.range[1] - node.range[0]));
    else for (const child of node.children ?? []) visit(child);
  };
  visit(paragraph);
  return characters.join('');
}

export function sentenceLength({ Syntax, RuleError, getSource, locator, report }, { max }) {
  return {
    [Syntax.Paragraph](paragraph) {
      for (const { segment, index } of sentences.segment(proseOf(paragraph, getSource, Syntax))) {
        const count = segment.split(/\s+/).filter(isWord).length;
        if (count <= max) continue;
        const first = index + segment.length - segment.trimStart().length;
        const message = `sentence of ${count} words; at most ${max} are allowed`;
        report(paragraph, new RuleError(message, { padding: locator.at(first) }));
      }
    },
  };
}
