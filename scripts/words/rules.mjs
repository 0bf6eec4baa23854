// The rules of `npm run lint:words`. CONTRIBUTING.md explains them.
import markdownPlugin from '@textlint/textlint-plugin-markdown';
import terminology from 'textlint-rule-terminology';
import { sentenceLength } from './sentence-length.mjs';

/** A code span counts as one word. Table cells and headings are not sentences. */
const MAX_WORDS = 25;

/** Archaic and literary words, each with plain English. */
const literaryWords = [
  ['anew', 'again'],
  ['whoever', 'a client that'],
  ['whatever', 'any'],
  ['thereof', 'of it'],
  ['therein', 'in it'],
  ['hereby', 'with this'],
  ['hence', 'therefore'],
  ['nought', 'nothing'],
  ['(?:though|whether|unless|lest) (?:it|they|he|she) be', 'even if it is'],
  ['(?:is|are|was|were) (not )?to be had', 'is $1available'],
  ['(?:make|makes|made|making) way', 'removes'],
  ['(?:let|lets|letting) go', 'releases'],
  ['tells', 'reports'],
  ['hears', 'receives'],
  ['knocks', 'connects'],
  ['knocking', 'connecting'],
  ['nobody', 'no client'],
  ['somebody', 'a client'],
  ['needless', 'not needed'],
  ['goodbyes?', 'disconnect'],
  ['lives on', 'stays open'],
  ['live on', 'stay open'],
  ['(is|are) gone', '$1 lost'],
  ['refuse', 'reject'],
  ['refuses', 'rejects'],
  // A refused connection is an error of the operating system.
  ['(?<!connection )\\brefused\\b(?! connection)', 'rejected'],
  ['refusing', 'rejecting'],
  ['all the same', 'in any case'],
  ['for ever', 'forever'],
  ['went on', 'continued'],
  ['goes on', 'continues'],
  ['anybody', 'any client'],
  ['everybody', 'all clients'],
];

/** Other spellings of terms in docs/glossary.md. */
const spellings = [
  ['back-off', 'backoff'],
  ['fail-over', 'failover'],
  ['display id', 'display ID'],
  ['un-?foreseen', 'unexpected'],
];

/** Names whose only spelling is this one. A message may contain commands and paths, which write them otherwise. */
const names = ['gRPC', 'Kubernetes', 'OpenTelemetry', 'Prometheus', 'Testcontainers', 'TypeScript'];

/** Spaces in a pattern also match the end of a line. */
const acrossLines = ([pattern, replacement]) => [pattern.replaceAll(' ', '\\s+'), replacement];

/** Everything is checked as Markdown: proto comments and messages use its code spans and lists. */
export const textlintOptions = (filePath) => ({
  filePath,
  ext: '.md',
  plugins: [{ pluginId: 'markdown', plugin: markdownPlugin.default }],
  rules: [
    { ruleId: 'sentence-length', rule: sentenceLength, options: { max: MAX_WORDS } },
    {
      ruleId: 'words',
      rule: terminology,
      options: {
        defaultTerms: false,
        terms: [
          ...(/\.(md|proto)$/.test(filePath) ? names : []),
          ...spellings,
          // The glossary lists these words.
          ...(filePath.endsWith('docs/glossary.md') ? [] : literaryWords.map(acrossLines)),
        ],
      },
    },
  ],
});
