import { type ComponentChildren, Fragment } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { number } from '../format.js';
import { changeSettings, type Route } from '../route.js';
import type { Rows } from '../types.js';

/** Time without a key press after which the filter applies. Unit: ms. */
const TYPING_MS = 250;
const LIMITS = ['25', '50', '100'];

/** A column, with the orders that it offers. */
export interface Column<Row> {
  readonly title: string;
  readonly orders?: readonly Order[];
  readonly cell: (row: Row) => ComponentChildren;
}

interface Order {
  /** The name in the query of the JSON page. */
  readonly name: string;
  readonly label: string;
  /** Numbers begin with the largest. */
  readonly isNumber?: boolean;
}

/** The query of a page of rows, from the settings of the view. */
export function rowsQuery({ settings }: Route, defaultSort: string) {
  return {
    sort: settings.get('sort') ?? defaultSort,
    filter: settings.get('filter') ?? '',
    offset: settings.get('offset') ?? '0',
    limit: settings.get('limit') ?? LIMITS[0]!,
  };
}

export type RowsQuery = ReturnType<typeof rowsQuery>;

interface DataTableProps<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly toneOf?: (row: Row) => string | undefined;
  /** The active order, with `-` for descending. */
  readonly sort?: string;
  readonly onSort?: (sort: string) => void;
  /** Below a row, over all columns. */
  readonly detailsOf?: (row: Row) => ComponentChildren;
  readonly isBusy?: boolean;
}

/** A table that becomes a list of cards on a narrow screen. */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { caption, columns, rows, keyOf, toneOf, sort, onSort, detailsOf, isBusy } = props;
  return (
    <table class="data" aria-busy={isBusy}>
      <caption class="hidden">{caption}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <ColumnHeader key={column.title} column={column} sort={sort} onSort={onSort} />
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => {
          const details = detailsOf?.(row);
          const key = keyOf(row);
          return (
            <Fragment key={key}>
              <tr class={toneOf?.(row)}>
                {columns.map(({ title, cell }) => (
                  <td key={title} data-label={title}>
                    <div>{cell(row)}</div>
                  </td>
                ))}
              </tr>
              {details && (
                <tr class="details">
                  <td colSpan={columns.length}>{details}</td>
                </tr>
              )}
            </Fragment>
          );
        })}
      </tbody>
    </table>
  );
}

interface ColumnHeaderProps<Row> {
  readonly column: Column<Row>;
  readonly sort: string | undefined;
  readonly onSort: ((sort: string) => void) | undefined;
}

function ColumnHeader<Row>({ column: { title, orders = [] }, sort, onSort }: ColumnHeaderProps<Row>) {
  const active = sort?.replace(/^-/, '');
  const isActive = orders.some(({ name }) => name === active);
  const direction = sort?.startsWith('-') ? 'descending' : 'ascending';
  const next = ({ name, isNumber }: Order) => {
    if (name !== active) return isNumber ? `-${name}` : name;
    return direction === 'descending' ? name : `-${name}`;
  };
  return (
    <th
      scope="col"
      class={orders.length === 0 ? 'unsorted' : ''}
      aria-sort={isActive ? direction : undefined}
    >
      {orders.length !== 1 && <span class="title">{title}</span>}
      {orders.map((order) => (
        <button
          key={order.name}
          type="button"
          class={order.name === active ? 'sort active' : 'sort'}
          aria-label={`Sort by ${order.label}`}
          onClick={() => onSort?.(next(order))}
        >
          {orders.length === 1 ? title : order.label}
          <span class="arrow" aria-hidden="true">
            {order.name !== active ? '↕' : direction === 'descending' ? '▼' : '▲'}
          </span>
        </button>
      ))}
    </th>
  );
}

/** A filter that applies while the user types. */
export function FilterField({ route, label }: { route: Route; label: string }) {
  const applied = route.settings.get('filter') ?? '';
  const [text, setText] = useState(applied);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  // Another link can change the filter.
  useEffect(() => setText(applied), [applied]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const onInput = (value: string) => {
    setText(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => changeSettings(route, { filter: value, offset: '' }), TYPING_MS);
  };
  return (
    <label class="field">
      <span>{label}</span>
      <input
        type="search"
        value={text}
        maxLength={256}
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </label>
  );
}

interface PagerProps {
  readonly route: Route;
  readonly rows: Rows;
  readonly shown: number;
  readonly limit: string;
}

/** Which rows are shown, and buttons for the other pages. */
export function Pager({ route, rows, shown, limit }: PagerProps) {
  const { offset, total, nextOffset } = rows;
  const size = Number(limit);
  // Rows can vanish while a later page is shown.
  const isBehindTheEnd = shown === 0 && offset > 0;
  const lastOffset = Math.max(0, Math.ceil(total / size) - 1) * size;
  useEffect(() => {
    if (isBehindTheEnd) changeSettings(route, { offset: lastOffset === 0 ? '' : String(lastOffset) });
  }, [isBehindTheEnd, lastOffset]);
  const go = (to: number) => changeSettings(route, { offset: to <= 0 ? '' : String(to) });
  const range = shown === 0 ? '0' : `${number(offset + 1)}–${number(offset + shown)}`;
  return (
    <nav class="pager" aria-label="Pages">
      <span class="range">
        {range} of {number(total)}
      </span>
      <button type="button" disabled={offset === 0} onClick={() => go(0)}>
        First
      </button>
      <button type="button" disabled={offset === 0} onClick={() => go(offset - size)}>
        Previous
      </button>
      <button type="button" disabled={nextOffset === null} onClick={() => go(nextOffset ?? 0)}>
        Next
      </button>
      <button type="button" disabled={nextOffset === null} onClick={() => go(lastOffset)}>
        Last
      </button>
      <label>
        <span class="hidden">Rows per page</span>
        <select
          value={limit}
          onChange={(event) => changeSettings(route, { limit: event.currentTarget.value, offset: '' })}
        >
          {LIMITS.map((one) => (
            <option key={one} value={one}>
              {one} rows
            </option>
          ))}
        </select>
      </label>
    </nav>
  );
}
