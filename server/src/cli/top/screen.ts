import { emitKeypressEvents } from 'node:readline';
import type { ReadStream } from 'node:tty';
import type { CommandContext } from '../context.js';
import type { Size } from './view.js';
import type { Key } from './view-state.js';

/** Alternate screen, hidden cursor, no line wrap. */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J';
/** The reverse of {@link ENTER}. */
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';

/** The events of a screen. */
export interface ScreenEvents {
  /** A key was pressed. Never called if standard input is not a terminal. */
  key(key: Key): void;
  resize(): void;
}

/** A terminal in full-screen mode. The mode ends with close(), and also when the process exits. */
export class Screen {
  readonly #context: CommandContext;
  readonly #events: ScreenEvents;
  readonly #input: ReadStream | undefined;
  #shown: readonly string[] = [];
  readonly #onKey = (text: string | undefined, { name, ctrl, meta }: Key) =>
    this.#events.key({ name, ctrl, meta, text });
  readonly #onResize = () => {
    this.#clear();
    this.#events.resize();
  };
  readonly #restore = () => {
    this.#input?.setRawMode?.(false);
    // Not by context.stdout, which cannot write while the process exits.
    this.#context.stdout.stream.write(LEAVE);
  };

  constructor(context: CommandContext, events: ScreenEvents) {
    this.#context = context;
    this.#events = events;
    const { stdin, stdout } = context;
    this.#input = stdin.isTTY ? (stdin as ReadStream) : undefined;
    process.once('exit', this.#restore);
    stdout.stream.on('resize', this.#onResize);
    if (this.#input) {
      emitKeypressEvents(this.#input);
      this.#input.setRawMode?.(true);
      this.#input.on('keypress', this.#onKey);
      this.#input.resume();
    }
    stdout.stream.write(ENTER);
  }

  get size(): Size {
    const { columns, rows } = this.#context.stdout;
    return { columns, rows };
  }

  /** Shows these lines. Writes only lines that differ from the shown ones. */
  async draw(lines: readonly string[]): Promise<void> {
    let text = '';
    for (let at = 0; at < Math.max(lines.length, this.#shown.length); at++) {
      const line = lines[at] ?? '';
      if (line !== this.#shown[at]) text += `\x1b[${at + 1};1H\x1b[2K${line}`;
    }
    this.#shown = [...lines];
    if (text !== '') await this.#context.stdout.write(text);
  }

  close(): void {
    process.off('exit', this.#restore);
    this.#context.stdout.stream.off('resize', this.#onResize);
    this.#input?.off('keypress', this.#onKey);
    this.#restore();
    // Otherwise an open input stream would keep the process alive.
    this.#input?.pause();
  }

  #clear(): void {
    this.#shown = [];
    this.#context.stdout.stream.write('\x1b[2J');
  }
}
