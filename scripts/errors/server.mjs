// Writes the contract's enum of reasons, and the tables of the server.
import {
  apart,
  comment,
  description,
  header,
  limits,
  reasons,
  spread,
  write,
  writeRegion,
} from './source.mjs';

export function writeContract() {
  const values = reasons
    .filter(({ number }) => number !== undefined)
    .flatMap((reason) => [
      ...comment('  //', `${reason.status}: ${description(reason)}`, 120),
      `  ERROR_REASON_${reason.name} = ${reason.number};`,
    ]);
  const all = ['  // Not used.', '  ERROR_REASON_UNSPECIFIED = 0;', ...values];
  writeRegion('proto/spread/sidecar/v1/mailbox_service.proto', 'reasons', '  //', apart(all));
}

const row = ({ name, status, retry }) =>
  `  ${name}: { status: status.${status}, advisesRetry: ${retry === 'advised'} },`;
const rows = (wanted) => reasons.filter(({ layer }) => layer === wanted).map(row);

export function writeServer() {
  write('server/src/grpc/codec/error-table.ts', [
    header('//'),
    "import { status } from '@grpc/grpc-js';",
    "import type { MailboxReason } from '../../mailbox/sidecar-error.js';",
    "import type { SpreadCodeName } from '../../spread/wire/index.js';",
    '',
    'interface ErrorRow {',
    '  readonly status: status;',
    '  /** The failure carries advice when to try again. */',
    '  readonly advisesRetry: boolean;',
    '}',
    '',
    '/** The reasons that mailboxes raise. The edge raises some of them too. */',
    'export const MAILBOX_ERRORS: Readonly<Record<MailboxReason, ErrorRow>> = {',
    ...rows('mailbox'),
    '};',
    '',
    '/** The reasons that only the edge raises. */',
    'export const EDGE_ERRORS = {',
    ...rows('grpc'),
    '} as const satisfies Readonly<Record<string, ErrorRow>>;',
    '',
    "/** Spread's own errors. */",
    'export const SPREAD_ERRORS: Readonly<Record<SpreadCodeName, ErrorRow>> = {',
    ...spread.map(row),
    '};',
  ]);
  write('server/src/observability/metrics/limit-names.ts', [
    header('//'),
    '',
    '/** Every limit that is counted: clients must not add values to a label of a metric. */',
    'export const LIMIT_NAMES = [',
    ...limits.map(({ name }) => `  '${name}',`),
    '] as const;',
  ]);
}
