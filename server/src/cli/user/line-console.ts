import { clearLine, createInterface, cursorTo, type Interface } from 'node:readline';
import type { CommandContext } from '../context.js';

/**
 * Reads lines from a prompt or a pipe, and prints text meanwhile. At a terminal, the text appears above the edited
 * line.
 */
export class LineConsole {
  readonly #context: CommandContext;
  readonly #interface: Interface;
  readonly #lines: AsyncIterator<string>;
  readonly #stop = () => this.#interface.close();
  #asking = false;

  /**
   * @param complete - the possible last words of the line
   * @param onInterrupt - called for Ctrl-C at a terminal, which is a key there and not a signal
   */
  constructor(context: CommandContext, complete: (line: string) => string[], onInterrupt: () => void) {
    this.#context = context;
    this.#interface = createInterface({
      input: context.stdin,
      output: this.isTerminal ? context.stdout.stream : undefined,
      terminal: this.isTerminal,
      crlfDelay: Number.POSITIVE_INFINITY,
      completer: (line: string) => [complete(line), line.slice(line.lastIndexOf(' ') + 1)],
    });
    this.#interface.on('SIGINT', onInterrupt);
    this.#lines = this.#interface[Symbol.asyncIterator]();
    context.signal.addEventListener('abort', this.#stop, { once: true });
    if (context.signal.aborted) this.#stop();
  }

  /** Whether the input and the output are terminals. */
  get isTerminal(): boolean {
    return this.#context.stdin.isTTY === true && this.#context.stdout.isTerminal;
  }

  /** The next line. Undefined at the end of the input. `prompt` is shown only at a terminal. */
  async ask(prompt: string): Promise<string | undefined> {
    if (this.isTerminal) {
      this.#interface.setPrompt(prompt);
      this.#asking = true;
      this.#interface.prompt();
    }
    const { value, done } = await this.#lines.next();
    this.#asking = false;
    return done ? undefined : value;
  }

  /** Prints lines. */
  async print(text: string): Promise<void> {
    const { stdout } = this.#context;
    if (this.isTerminal && this.#asking) {
      cursorTo(stdout.stream, 0);
      clearLine(stdout.stream, 0);
    }
    await stdout.line(text);
    if (this.isTerminal && this.#asking) this.#interface.prompt(true);
  }

  close(): void {
    this.#context.signal.removeEventListener('abort', this.#stop);
    this.#interface.close();
    // Otherwise an open input stream would keep the process alive.
    this.#context.stdin.pause();
  }
}
