import { MAILBOX_ORDERS } from '../admin/mailbox-columns.js';

/** The settings of the view that keys change. */
export interface ViewState {
  readonly order: string;
  readonly isDescending: boolean;
  readonly filter: string;
  /** Number of rows above the first shown row. */
  readonly offset: number;
  readonly isPaused: boolean;
  readonly isHelp: boolean;
  /** The edited filter. Undefined: keys are commands. */
  readonly prompt: string | undefined;
}

/** A key as Node's readline reports it. */
export interface Key {
  readonly name?: string | undefined;
  readonly ctrl?: boolean | undefined;
  readonly meta?: boolean | undefined;
  /** The character of a printable key. */
  readonly text?: string | undefined;
}

/** Effect of a key. `refresh`: the rows must be read again. */
export type Effect = 'redraw' | 'refresh' | 'quit' | 'interrupt' | 'none';

/** The longest filter of the admin port. */
const MAX_FILTER = 256;

/** The order of each key. The other keys are in {@link KEY_HELP}. */
const ORDER_KEYS: Readonly<Record<string, string>> = {
  i: 'displayId',
  n: 'privateGroup',
  c: 'client',
  e: 'queueEvents',
  b: 'queueBytes',
  r: 'receivedPerSecond',
  s: 'sentPerSecond',
};

/** Texts start at A, and numbers at the largest. */
const isText = (order: string) => ['displayId', 'privateGroup', 'client'].includes(order);

/** Lines of the help: the key and its effect. */
export const KEY_HELP: readonly (readonly [string, string])[] = [
  ['i', 'sort by ID'],
  ['n', 'sort by private group'],
  ['c', 'sort by client'],
  ['e', 'sort by events in the queue'],
  ['b', 'sort by bytes in the queue'],
  ['r', 'sort by received events per second'],
  ['s', 'sort by sent messages per second'],
  ['R', 'reverse the order'],
  ['f or /', 'filter by private group or client; empty: no filter'],
  ['↑ ↓ PgUp PgDn', 'scroll; Home and End: first and last rows'],
  ['p or space', 'pause or continue the refresh'],
  ['h or ?', 'show or hide this help'],
  ['q or Ctrl-C', 'quit'],
];

/** @param sort - a name of `--sort`, with `-` before it for descending order */
export function initialState(sort: string, filter: string): ViewState {
  return {
    order: sort.replace(/^-/, ''),
    isDescending: sort.startsWith('-'),
    filter,
    offset: 0,
    isPaused: false,
    isHelp: false,
    prompt: undefined,
  };
}

/** The names that `--sort` accepts. */
export const SORTS: readonly string[] = MAILBOX_ORDERS.flatMap((order) => [order, `-${order}`]);

/**
 * Applies a key.
 *
 * @param pageRows - number of rows that the screen shows
 * @param total - number of rows that match the filter
 */
export function applyKey(
  state: ViewState,
  key: Key,
  pageRows: number,
  total: number,
): readonly [ViewState, Effect] {
  if (key.ctrl && (key.name === 'c' || key.name === 'd')) return [state, 'interrupt'];
  if (state.prompt !== undefined) return editFilter(state, state.prompt, key);
  if (state.isHelp) return [{ ...state, isHelp: false }, key.text === 'q' ? 'quit' : 'redraw'];
  const last = Math.max(0, total - pageRows);
  const scroll = (offset: number): readonly [ViewState, Effect] => {
    const bounded = Math.max(0, Math.min(offset, last));
    return [{ ...state, offset: bounded }, bounded === state.offset ? 'none' : 'refresh'];
  };
  switch (key.name) {
    case 'up':
      return scroll(state.offset - 1);
    case 'down':
      return scroll(state.offset + 1);
    case 'pageup':
      return scroll(state.offset - pageRows);
    case 'pagedown':
      return scroll(state.offset + pageRows);
    case 'home':
      return scroll(0);
    case 'end':
      return scroll(last);
  }
  if (key.ctrl || key.meta) return [state, 'none'];
  switch (key.text) {
    case 'q':
      return [state, 'quit'];
    case 'h':
    case '?':
      return [{ ...state, isHelp: true }, 'redraw'];
    case 'p':
    case ' ':
      return [{ ...state, isPaused: !state.isPaused }, state.isPaused ? 'refresh' : 'redraw'];
    case 'R':
      return [{ ...state, isDescending: !state.isDescending, offset: 0 }, 'refresh'];
    case 'f':
    case '/':
      return [{ ...state, prompt: state.filter }, 'redraw'];
  }
  const order = Object.hasOwn(ORDER_KEYS, key.text ?? '') ? ORDER_KEYS[key.text!] : undefined;
  if (order === undefined) return [state, 'none'];
  return [{ ...state, order, isDescending: !isText(order), offset: 0 }, 'refresh'];
}

function editFilter(state: ViewState, prompt: string, key: Key): readonly [ViewState, Effect] {
  switch (key.name) {
    case 'return':
    case 'enter':
      return [{ ...state, filter: prompt, prompt: undefined, offset: 0 }, 'refresh'];
    case 'escape':
      return [{ ...state, prompt: undefined }, 'redraw'];
    case 'backspace':
      return [{ ...state, prompt: [...prompt].slice(0, -1).join('') }, 'redraw'];
  }
  if (key.ctrl && key.name === 'u') return [{ ...state, prompt: '' }, 'redraw'];
  const text = key.text ?? '';
  if (key.ctrl || key.meta || text === '' || /\p{Cc}/u.test(text)) return [state, 'none'];
  return [{ ...state, prompt: (prompt + text).slice(0, MAX_FILTER) }, 'redraw'];
}
