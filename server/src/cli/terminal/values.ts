import { InvalidArgumentError } from 'commander';
import { byteSize, duration, integer } from '../../config/values/numbers.js';
import { Refusal, type ValueType } from '../../config/values/value-type.js';
import { SERVICE_BITS, type ServiceTypeName } from '../../spread/wire/constants.js';

/** Converts a type of configuration values to an argument parser of commander. */
function argument<T>(type: ValueType<T>): (text: string) => T {
  return (text) => {
    try {
      return type.parse(text);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const hint = error.hint ? ` (${error.hint})` : '';
      throw new InvalidArgumentError(`It must be ${type.expects}${hint}.`);
    }
  };
}

/** A whole number within a range. */
export const wholeNumber = (min: number, max: number) =>
  argument(integer({ min: String(min), max: String(max) }));

/** A duration such as `10s`, in ms. */
export const durationValue = (min: string, max: string) => argument(duration({ min, max }));

/** A size such as `4KiB`, in bytes. */
export const sizeValue = (min: string, max: string) => argument(byteSize({ min, max }));

/** An application's message type. */
export function messageType(text: string): number {
  const value = /^-?\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= -32_768 && value <= 32_767))
    throw new InvalidArgumentError('It must be a whole number from -32768 to 32767.');
  return value;
}

/** Adds a header `name=value` to the earlier ones. */
export function header(
  text: string,
  earlier: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const end = text.indexOf('=');
  if (end < 1) throw new InvalidArgumentError('It must be name=value, such as content-type=text/plain.');
  const name = text.slice(0, end);
  if (Object.hasOwn(earlier, name)) throw new InvalidArgumentError('A header with this name is already set.');
  // Unlike an assignment, this accepts the name __proto__.
  return Object.fromEntries([...Object.entries(earlier), [name, text.slice(end + 1)]]);
}

/** The names of the service types. */
export const SERVICE_TYPES: readonly string[] = Object.keys(SERVICE_BITS).map((name) => name.toLowerCase());

/** Parses the name of a service type in any case, with or without `_MESS`. Returns Spread's bit. */
export function serviceType(text: string): number {
  const name = text.toUpperCase().replace(/_MESS$/, '');
  if (!Object.hasOwn(SERVICE_BITS, name)) {
    const known = Object.keys(SERVICE_BITS).join(', ').toLowerCase();
    throw new InvalidArgumentError(`It must be one of ${known}.`);
  }
  return SERVICE_BITS[name as ServiceTypeName];
}
