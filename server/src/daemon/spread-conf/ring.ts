/** Windows of the ring of daemons: the defaults of Spread 5.0.1. */
const DEFAULT_WINDOW = 160;
const DEFAULT_PERSONAL_WINDOW = 20;
const DEFAULT_ACCELERATED_WINDOW = 15;

/** The conditions of Spread 5.0.1 for the settings of the ring, although they have no effect on a single node. */
export class RingRules {
  readonly #windows = new Map<string, number>();
  #accelerated = false;

  /** The reason why Spread rejects the value. Undefined for a valid value or another setting. */
  note(setting: string, value: string): string | undefined {
    if (setting === 'AcceleratedRing') this.#accelerated = /^(true|yes)$/i.test(value);
    if (!/(Window|Timeout)$/.test(setting)) return undefined;
    this.#windows.set(setting, Number(value));
    return Number(value) < 1 && setting !== 'AcceleratedWindow'
      ? `${setting} must be at least 1, not ${value}`
      : undefined;
  }

  /** Contradictions between settings, known at the end of the file. */
  mistakes(): string[] {
    const window = this.#windows.get('Window') ?? DEFAULT_WINDOW;
    const personal = this.#windows.get('PersonalWindow') ?? DEFAULT_PERSONAL_WINDOW;
    const accelerated = this.#windows.get('AcceleratedWindow') ?? DEFAULT_ACCELERATED_WINDOW;
    const found: string[] = [];
    if (personal > window) found.push(`PersonalWindow ${personal} is larger than Window ${window}`);
    if (this.#accelerated && accelerated > personal)
      found.push(`AcceleratedWindow ${accelerated} is larger than PersonalWindow ${personal}`);
    return found;
  }
}
