// Writes docs/errors.md: all errors, for people who receive one.
import { header, limits, metadata, reasons, spread, write } from './source.mjs';

const row = (...cells) => `| ${cells.join(' | ')} |`;
const table = (headings, rows) => [row(...headings), row(...headings.map(() => '---')), ...rows];
const code = (name) => `\`${name}\``;
const codes = (names) => names.map(code).join(', ') || '–';

const reasonRow = ({ name, status, retry, sentence, detail, metadata: keys, client, action }) =>
  row(
    code(name),
    status,
    [sentence, detail].filter(Boolean).join(' '),
    retry,
    client ?? '–',
    action,
    codes(keys),
  );

const spreadRow = ({ name, number, status, retry, sentence, raised }) =>
  row(code(name), code(number), raised === false ? '–' : status, raised === false ? '–' : retry, sentence);

const limitRow = ({ name, fixed, reason, answer, sentence }) =>
  row(code(name), sentence, fixed ? 'fixed' : 'option', reason ? code(reason) : answer);

const HEADINGS = ['Reason', 'Status', 'Cause', 'Retry', 'What the client does', 'What you do', 'Metadata'];

export function writePage() {
  write('docs/errors.md', [
    header('<!--').concat(' -->'),
    '',
    '# Errors',
    '',
    'For application developers: every error with its cause, and what you do about it.',
    '',
    'A failed call has a gRPC status and a google.rpc.ErrorInfo with `domain`, `reason` and `metadata` in `grpc-status-details-bin`. The client',
    'libraries raise a `SpreadError` (in Java `SpreadException`) with the same values.',
    '',
    'The column Retry has one of these values:',
    '',
    ...table(
      ['Retry', 'Meaning'],
      [
        row(
          'advised',
          'The error is marked `retryable`. A sidecar sends a google.rpc.RetryInfo with the delay. Neither holds when the outcome is unknown',
        ),
        row('possible', 'The same call can succeed later'),
        row('never', 'The same call fails again'),
      ],
    ),
    '',
    '## Errors of the sidecar',
    '',
    'These errors have the domain `spread-sidecar`.',
    '',
    ...table(HEADINGS, reasons.filter(({ layer }) => layer !== 'client').map(reasonRow)),
    '',
    '## Errors of the client libraries',
    '',
    'The client libraries raise these errors themselves, also with the domain `spread-sidecar`.',
    '',
    ...table(HEADINGS, reasons.filter(({ layer }) => layer === 'client').map(reasonRow)),
    '',
    '## Errors of Spread',
    '',
    'These errors have the domain `spread.org`. [spread-api.md](spread-api.md#errors) lists the calls that raise them. Errors without a status are',
    "never raised: the clients have their names for programs that compare Spread's numbers.",
    '',
    ...table(['Name', 'Number', 'Status', 'Retry', 'Cause'], spread.map(spreadRow)),
    '',
    '## Metadata',
    '',
    'The metadata of an error has only the keys that apply to the call.',
    '',
    ...table(
      ['Key', 'Content'],
      Object.entries(metadata).map(([key, sentence]) => row(code(key), sentence)),
    ),
    '',
    '## Limits',
    '',
    'The metric `spread_sidecar_limit_refusals_total` counts these limits. [limits.md](limits.md) has their defaults.',
    '',
    ...table(['Limit', 'What it bounds', 'Set by', 'Reason, or what the sidecar does'], limits.map(limitRow)),
  ]);
}
