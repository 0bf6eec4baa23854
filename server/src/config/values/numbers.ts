import { Refusal, type ValueType } from './value-type.js';

/** A range with both ends included, in an operator's notation. */
interface Bounds {
  readonly min: string;
  readonly max: string;
}

const HOUR = 3_600_000;
const MINUTE = 60_000;
const SECOND = 1000;
const durationUnits: readonly (readonly [string, number])[] = [
  ['h', HOUR],
  ['m', MINUTE],
  ['s', SECOND],
  ['ms', 1],
];

/** `30s`, `500ms`, `1m`, `1m30s`, `1.5s`. The value is a whole number of milliseconds. */
export function duration(bounds: Bounds): ValueType<number> {
  return bounded({
    noun: 'a duration',
    placeholder: 'duration',
    bounds,
    read: readDuration,
    format: (ms) => {
      const [unit, size] = durationUnits.find(([, size]) => ms % size === 0)!;
      return ms === 0 ? '0s' : `${ms / size}${unit}`;
    },
  });
}

function readDuration(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) throw new Refusal('the unit is missing; use ms, s, m or h');
  const match = /^(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?$/.exec(text);
  if (!match || text === '') throw new Refusal();
  const ms = durationUnits.reduce((sum, [, size], index) => sum + Number(match[index + 1] ?? 0) * size, 0);
  const whole = Math.round(ms);
  if (Math.abs(ms - whole) > 1e-6) throw new Refusal('it is not a whole number of milliseconds');
  return whole;
}

// Kubernetes uses Mi, people use MiB; both mean 1024². kB, MB and GB are powers of 1000.
const sizeUnits = new Map([
  ['', 1],
  ['B', 1],
  ['Ki', 1024],
  ['KiB', 1024],
  ['Mi', 1024 ** 2],
  ['MiB', 1024 ** 2],
  ['Gi', 1024 ** 3],
  ['GiB', 1024 ** 3],
  ['kB', 1e3],
  ['KB', 1e3],
  ['MB', 1e6],
  ['GB', 1e9],
]);

const UNIT_NAMES = [...sizeUnits.keys()].filter((name) => name !== '').join(', ');

/** `4MiB`, `64Mi`, `262144`. The value is a whole number of bytes. */
export function byteSize(bounds: Bounds): ValueType<number> {
  return bounded({
    noun: 'a size',
    placeholder: 'size',
    bounds,
    read: (text) => {
      const match = /^(\d+(?:\.\d+)?) ?([A-Za-z]*)$/.exec(text);
      if (!match) throw new Refusal();
      const unit = sizeUnits.get(match[2]!);
      if (unit === undefined) throw new Refusal(`the unit must be one of ${UNIT_NAMES}`);
      const bytes = Number(match[1]) * unit;
      if (!Number.isInteger(bytes)) throw new Refusal('it is not a whole number of bytes');
      return bytes;
    },
    format: (bytes) => {
      const unit = ['GiB', 'MiB', 'KiB'].find((name) => bytes > 0 && bytes % sizeUnits.get(name)! === 0);
      return unit ? `${bytes / sizeUnits.get(unit)!}${unit}` : `${bytes}`;
    },
  });
}

/** A whole number in decimal digits. */
export function integer(bounds: Bounds): ValueType<number> {
  return bounded({
    noun: 'a whole number',
    placeholder: 'number',
    bounds,
    read: (text) => {
      if (!/^\d{1,15}$/.test(text)) throw new Refusal();
      return Number(text);
    },
    format: String,
  });
}

/** A number such as `0.8`. */
export function fraction(bounds: Bounds): ValueType<number> {
  return bounded({
    noun: 'a number',
    placeholder: 'fraction',
    bounds,
    read: (text) => {
      if (!/^\d{1,6}(\.\d{1,12})?$/.test(text)) throw new Refusal();
      return Number(text);
    },
    format: String,
  });
}

/** Permission bits in octal, as for chmod: `0660`, `660`, `0o660`. */
export function fileMode(bounds: Bounds): ValueType<number> {
  return bounded({
    noun: 'an octal file mode',
    placeholder: 'mode',
    bounds,
    read: (text) => {
      const match = /^(?:0o|0)?([0-7]{3})$/.exec(text);
      if (!match) throw new Refusal();
      return Number.parseInt(match[1]!, 8);
    },
    format: (mode) => `0${mode.toString(8).padStart(3, '0')}`,
  });
}

function bounded(spec: {
  noun: string;
  placeholder: string;
  bounds: Bounds;
  read(text: string): number;
  format(value: number): string;
}): ValueType<number> {
  const { noun, placeholder, bounds, read, format } = spec;
  const [min, max] = [read(bounds.min), read(bounds.max)];
  return {
    expects: `${noun} from ${bounds.min} to ${bounds.max}`,
    placeholder,
    parse: (text) => {
      const value = read(text);
      if (value < min) throw new Refusal(`less than ${bounds.min}`);
      if (value > max) throw new Refusal(`more than ${bounds.max}`);
      return value;
    },
    format,
  };
}
