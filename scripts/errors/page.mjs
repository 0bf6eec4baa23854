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
    'When a call of the contract fails in the sidecar, the call has a gRPC status. The trailer `grpc-status-details-bin` contains a google.rpc.ErrorInfo with',
    '`domain`, `reason` and `metadata`. [Errors without a reason](#errors-without-a-reason) lists the exceptions. The client libraries raise a `SpreadError` (in Java `SpreadException`) with these values.',
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
    '## Errors without a reason',
    '',
    'These failures have no google.rpc.ErrorInfo:',
    '',
    ...table(
      ['Failure', 'Status'],
      [
        row(
          'The sidecar does not know the method. For such a call, the client libraries raise `NOT_A_SIDECAR`',
          'UNIMPLEMENTED',
        ),
        row('`grpc.health.v1.Health/Check` names a service that the sidecar does not have', 'NOT_FOUND'),
        row('The content type of the request is not a content type of gRPC', 'HTTP status 415'),
        row(
          'The client cancels the call, or the deadline passes in the client before a response arrives',
          'CANCELLED or DEADLINE_EXCEEDED, from the gRPC library of the client',
        ),
        row(
          'The connection to the sidecar ends during the call, or a limit rejects the stream before the call starts',
          'Usually UNAVAILABLE, from the gRPC library of the client',
        ),
      ],
    ),
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
