/** A text of an event is cut at this length. Unit: characters. */
const MAX_TEXT = 256;

/** What an event says, with texts and numbers only. */
export type EventFields = Readonly<Record<string, string | number | undefined>>;

/** One recorded event. */
export interface RecordedEvent {
  readonly sequence: number;
  readonly at: string;
  readonly kind: string;
  readonly [field: string]: string | number;
}

/**
 * The last events. When it is full, the kind with the most events loses its oldest one. A client that causes events
 * of one kind at a high rate therefore does not displace all others.
 */
export class EventRing {
  readonly #byKind = new Map<string, RecordedEvent[]>();
  #size = 0;
  #lastSequence = 0;

  constructor(private readonly most: number) {}

  /** The last recorded event. 0 if none. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  /** @param kind - one of a small, fixed number */
  add(kind: string, fields: EventFields): void {
    const event: Record<string, string | number> = { at: new Date().toISOString() };
    for (const [name, value] of Object.entries(fields)) {
      if (value === undefined || value === '') continue;
      event[name] = typeof value === 'string' ? bounded(value) : value;
    }
    const events = this.#byKind.get(kind) ?? [];
    this.#byKind.set(kind, events);
    events.push({ sequence: ++this.#lastSequence, kind, ...event } as RecordedEvent);
    if (++this.#size > this.most) this.#removeOne();
  }

  /** The retained events after this sequence, in order. */
  after(sequence: number): readonly RecordedEvent[] {
    return [...this.#byKind.values()]
      .flatMap((events) => events.filter((event) => event.sequence > sequence))
      .sort((a, b) => a.sequence - b.sequence);
  }

  #removeOne(): void {
    let longest: RecordedEvent[] = [];
    for (const events of this.#byKind.values()) if (events.length > longest.length) longest = events;
    longest.shift();
    this.#size--;
  }
}

/** A copy, because a part of a long text would hold all of it. */
function bounded(text: string): string {
  if (text.length <= MAX_TEXT) return text;
  return `${Buffer.from(text.slice(0, MAX_TEXT - 1)).toString()}…`;
}
