import type { Fields } from '../admin/admin-client.js';
import { MAILBOX_COLUMNS, rateText } from '../admin/mailbox-columns.js';
import { field } from '../admin/rows.js';
import { printable } from '../terminal/event-text.js';
import { count, type Output } from '../terminal/output.js';
import { type Column, cut, displayWidth, tableLines } from '../terminal/table.js';
import type { Sample } from './sample.js';
import { KEY_HELP, type ViewState } from './view-state.js';

type Colors = Output['colors'];

/** The size of a terminal. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Lines above the rows: the header, an empty line and the titles. */
const LINES_ABOVE = 6;

/** A narrow terminal shows a column only from this width. Other columns are always shown. */
const MIN_COLUMNS: Readonly<Record<string, number>> = {
  CLIENT: 100,
  GROUPS: 90,
  RECEIVER: 80,
  BYTES: 70,
  STATE: 60,
  ID: 50,
  QUEUE: 40,
};

/** The title of the column of each order. */
const ORDER_TITLES: Readonly<Record<string, string>> = {
  displayId: 'ID',
  privateGroup: 'PRIVATE GROUP',
  client: 'CLIENT',
  queueEvents: 'QUEUE',
  queueBytes: 'BYTES',
  receivedPerSecond: 'IN/S',
  sentPerSecond: 'OUT/S',
};

/** Number of mailboxes that a screen shows. */
export const rowsOf = ({ rows }: Size): number => Math.max(1, rows - LINES_ABOVE);

/** The columns that a terminal of this width shows. */
export const columnsFor = (width: number): Column<Fields>[] =>
  MAILBOX_COLUMNS.filter(({ title }) => width >= (MIN_COLUMNS[title] ?? 0));

/** The lines of a whole screen, each at most as wide as the screen. */
export function screenLines(
  sample: Sample,
  state: ViewState,
  target: string,
  problem: string | undefined,
  size: Size,
  colors: Colors,
): string[] {
  const { columns, rows } = size;
  if (state.isHelp) return helpLines(columns, colors).slice(0, rows);
  const header = headerLines(sample, target).map(([text, isProblem], at) => {
    const line = cut(text, columns);
    if (isProblem) return colors.red(line);
    return at === 0 ? colors.bold(line) : line;
  });
  const note = noteLine(sample, state, problem);
  header.push(problem === undefined ? cut(note, columns) : colors.red(cut(note, columns)), '');
  return [...header, ...table(sample, columns, colors)].slice(0, rows);
}

/** The lines of one sample, for a pipe or a file. */
export function plainLines(sample: Sample, target: string): string[] {
  const rows = tableLines(MAILBOX_COLUMNS, mailboxes(sample), Number.POSITIVE_INFINITY);
  return [...headerLines(sample, target).map(([text]) => text), ...rows, ''];
}

function table(sample: Sample, columns: number, colors: Colors): string[] {
  const [titles = '', ...rows] = tableLines(columnsFor(columns), mailboxes(sample), columns);
  const padding = ' '.repeat(Math.max(0, columns - displayWidth(titles)));
  return [colors.inverse(titles + padding), ...rows];
}

const mailboxes = ({ page }: Sample) => page.mailboxes as readonly Fields[];

/** Each line, and whether it reports a problem. */
function headerLines(sample: Sample, target: string): [string, boolean][] {
  const { status, receivedPerSecond, sentPerSecond } = sample;
  const text = (path: string) => printable(field(status, path));
  const isReady = status.ready === true;
  const stage = isReady ? 'ready' : `not ready: ${reason(status)}`;
  const uptime = duration(Number(status.uptimeMs));
  const isUp = field(status, 'daemon.up') === 'true';
  return [
    [`spread-sidecar ${text('version')} at ${target}, up ${uptime}, ${stage}`, !isReady],
    [
      isUp
        ? `daemon: ${text('daemon.address')} (Spread ${text('daemon.version')})`
        : `daemon: not connected${lastDown(status)}`,
      !isUp,
    ],
    [
      `${count(Number(status.mailboxes), 'mailbox').replace(/xs$/, 'xes')}, ${rateText(receivedPerSecond)} events/s in, ${rateText(sentPerSecond)} messages/s out, ${text('totals.waitingEvents')} events queued (${text('totals.waitingBytes')} bytes)`,
      false,
    ],
  ];
}

/** The stage, and the failed checks with their reasons. */
function reason(status: Fields): string {
  const failed = (status.checks as readonly Fields[]).filter(({ ok }) => ok !== true);
  const checks = failed.map((check) =>
    check.message === undefined
      ? field(check, 'name')
      : `${field(check, 'name')}: ${field(check, 'message')}`,
  );
  return printable([field(status, 'stage'), ...checks].join('; '));
}

function lastDown(status: Fields): string {
  const { history } = (status.daemon ?? {}) as Fields;
  const last = Array.isArray(history) ? (history.at(-1) as Fields | undefined) : undefined;
  if (last === undefined || last.up === true) return '';
  const message = last.message === undefined ? '' : `: ${field(last, 'message')}`;
  return printable(` since ${field(last, 'at')}${message}`);
}

/** The order, the filter and the state of the refresh; or the prompt; or a problem. */
function noteLine({ page }: Sample, state: ViewState, problem: string | undefined): string {
  if (state.prompt !== undefined) return `filter: ${printable(state.prompt)}_`;
  if (problem !== undefined) return printable(problem);
  const direction = state.isDescending ? 'descending' : 'ascending';
  const shown = mailboxes({ page } as Sample).length;
  const first = Number(page.offset) + 1;
  const range = shown === 0 ? 'no rows' : `rows ${first} to ${first + shown - 1} of ${field(page, 'total')}`;
  const parts = [`${printable(range)}, sorted by ${ORDER_TITLES[state.order]}, ${direction}`];
  if (state.filter !== '') parts.push(`filter: ${printable(state.filter)}`);
  if (state.isPaused) parts.push('PAUSED');
  parts.push('h: help');
  return parts.join('; ');
}

function helpLines(columns: number, colors: Colors): string[] {
  const width = Math.max(...KEY_HELP.map(([key]) => displayWidth(key)));
  const lines = KEY_HELP.map(
    ([key, effect]) => `  ${key}${' '.repeat(width - displayWidth(key))}  ${effect}`,
  );
  const title = colors.bold(cut('Keys. Any key hides this help.', columns));
  return [title, ...lines.map((line) => cut(line, columns))];
}

/** Such as `3d 04:05:06`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  const days = Math.floor(seconds / 86_400);
  const clock = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60].map(two);
  return `${days > 0 ? `${days}d ` : ''}${clock.join(':')}`;
}
