/** Windows of the ring of daemons: the defaults of Spread 5.0.1. */
const DEFAULT_WINDOW = 160;
const DEFAULT_PERSONAL_WINDOW = 20;
const DEFAULT_ACCELERATED_WINDOW = 15;

/** The conditions of Spread 5.0.1 for the settings of the ring, although they have no effect on a single node. */
export class RingRules {
  readonly #windows = new Map<string, number>();
  #accelerated = false;

  /** Stores the value of a setting for `mistakes()`. */
  note(setting: string, value: string): void {
    if (setting === 'AcceleratedRing') this.#accelerated = /^(true|yes)$/i.test(value);
    if (setting.endsWith('Window')) this.#windows.set(setting, Number(value));
  }

  /** Contradictions between settings, known at the end of the file. */
  mistakes(): string[] {
    const window = this.#window('Window', DEFAULT_WINDOW);
    const personal = this.#window('PersonalWindow', DEFAULT_PERSONAL_WINDOW);
    const accelerated = this.#window('AcceleratedWindow', DEFAULT_ACCELERATED_WINDOW);
    const found: string[] = [];
    if (personal.size > window.size) found.push(`${personal.text} is larger than ${window.text}`);
    if (this.#accelerated && accelerated.size > personal.size)
      found.push(`${accelerated.text} is larger than ${personal.text}`);
    return found;
  }

  #window(setting: string, standard: number): { readonly size: number; readonly text: string } {
    const size = this.#windows.get(setting);
    return size === undefined
      ? { size: standard, text: `${setting} ${standard} (the default)` }
      : { size, text: `${setting} ${size}` };
  }
}
