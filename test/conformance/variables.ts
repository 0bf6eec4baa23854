import { randomBytes } from 'node:crypto';

/** Values that a case can name, besides `${name}`, in base64 as payloads are. */
const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
/** Truncated, because a private name has at most 10 characters. */
const KEPT_CHARACTERS = 4;

/**
 * The variables of a running case. An unset `${group}` becomes a new name, so that cases with the same
 * sidecar do not affect each other.
 */
export class Variables {
  readonly #values = new Map<string, unknown>();

  set(name: string, value: unknown): void {
    this.#values.set(name, value);
  }

  get(name: string): unknown {
    if (!this.#values.has(name))
      this.set(name, name.slice(0, KEPT_CHARACTERS) + randomBytes(3).toString('hex'));
    return this.#values.get(name);
  }

  /** Replaces all variables, and creates all described values. */
  expand(value: unknown): unknown {
    if (typeof value === 'string') return this.#expandText(value);
    if (Array.isArray(value)) return value.map((entry) => this.expand(entry));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [first] = entries;
    if (first !== undefined && entries.length === 1) {
      const [name, given] = first;
      if (name === '$text') return Buffer.from(this.expand(given) as string).toString('base64');
      if (name === '$allBytes') return ALL_BYTES.toString('base64');
      if (name === '$hex') return Buffer.from(given as string, 'hex').toString('base64');
      if (name === '$times') {
        const [text, times] = given as [string, number];
        return text.repeat(times);
      }
      if (name === '$repeat') {
        const [text, times] = given as [string, number];
        return Buffer.from(text.repeat(times)).toString('base64');
      }
    }
    return Object.fromEntries(entries.map(([key, entry]) => [key, this.expand(entry)]));
  }

  #expandText(text: string): unknown {
    const whole = /^\$\{([^}]+)\}$/.exec(text);
    if (whole) return this.get(whole[1]!);
    return text.replaceAll(/\$\{([^}]+)\}/g, (_, name: string) => String(this.get(name)));
  }
}

/** The value at a path such as `events.0.sequence`. */
export function valueAt(value: unknown, path: string): unknown {
  let at = value;
  for (const key of path.split('.')) at = (at as Record<string, unknown> | undefined)?.[key];
  if (at === undefined) throw new Error(`there is nothing at ${path}`);
  return at;
}
