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

const HEADINGS = ['Reason', 'Status', 'Cause', 'Retry', 'What the client does', 'What to do', 'Metadata'];

export function writePage() {
  write('docs/errors.md', [
    header('<!--').concat(' -->'),
    '',
    '# Errors',
    '',
    'For application developers: every error, its cause and what to do.',
    '',
    'A failed call has a gRPC status. The trailer `grpc-status-details-bin` contains a google.rpc.ErrorInfo with `domain`, `reason` and `metadata`.',
    'The client libraries raise a `SpreadError` (in Java `SpreadException`) with these values.',
    '',
    'The column **Retry** contains one of these values:',
    '',
    ...table(
      ['Retry', 'Meaning'],
      [
        row(
          'advised',
          'Retry after a delay. In the client libraries, the error is `retryable`. The sidecar sends the delay in a google.rpc.RetryInfo. Exception: if the outcome is `unknown`, the error is not `retryable` and has no delay',
        ),
        row('possible', 'The same call can succeed later, but the sidecar does not know when'),
        row('never', 'The same call would fail again'),
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
    'These errors have the domain `spread.org`. [spread-api.md](spread-api.md#errors) lists the calls that raise these errors. The sidecar and the clients never raise',
    "the errors without a status. The clients define the names of these errors only for programs that compare Spread's numbers.",
    '',
    ...table(['Name', 'Number', 'Status', 'Retry', 'Cause'], spread.map(spreadRow)),
    '',
    '## Metadata',
    '',
    'The metadata of an error can contain these keys:',
    '',
    ...table(
      ['Key', 'Content'],
      Object.entries(metadata).map(([key, sentence]) => row(code(key), sentence)),
    ),
    '',
    '## Limits',
    '',
    'The metric `spread_sidecar_limit_refusals_total` counts how often a client exceeds one of these limits. An option',
    'with the name of the limit sets the limit, unless the column **Set by** contains "fixed". [limits.md](limits.md) lists the defaults.',
    '',
    ...table(['Limit', 'What is limited', 'Set by', 'Reason of the error, or effect'], limits.map(limitRow)),
  ]);
}
