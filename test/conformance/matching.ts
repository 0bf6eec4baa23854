import { isDeepStrictEqual } from 'node:util';

/**
 * The differences between the expected and the actual response, each with its location. Empty if they match.
 */
export function differences(expected: unknown, got: unknown, place = 'answer'): string[] {
  if (isPlain(expected)) {
    const [name] = Object.keys(expected);
    if (name?.startsWith('$') && Object.keys(expected).length === 1)
      return matcher(name, expected[name], got, place);
    if (!isPlain(got)) return [`${place}: expected an object, got ${show(got)}`];
    return Object.entries(expected).flatMap(([key, value]) =>
      differences(value, got[key], `${place}.${key}`),
    );
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(got)) return [`${place}: expected a list, got ${show(got)}`];
    if (got.length !== expected.length)
      return [`${place}: expected ${expected.length} entries, got ${got.length}: ${show(got)}`];
    return expected.flatMap((value, i) => differences(value, got[i], `${place}[${i}]`));
  }
  return Object.is(expected, got) ? [] : [`${place}: expected ${show(expected)}, got ${show(got)}`];
}

function matcher(name: string, wanted: unknown, got: unknown, place: string): string[] {
  const unless = (matches: boolean) =>
    matches ? [] : [`${place}: ${show(got)} is not ${name} ${show(wanted)}`];
  switch (name) {
    case '$any':
      return unless(got !== undefined);
    case '$matches':
      return unless(typeof got === 'string' && new RegExp(wanted as string).test(got));
    case '$atLeast':
      return unless(typeof got === 'number' && got >= (wanted as number));
    case '$atMost':
      return unless(typeof got === 'number' && got <= (wanted as number));
    case '$between': {
      const [least, most] = wanted as [number, number];
      return unless(typeof got === 'number' && got >= least && got <= most);
    }
    case '$atMostAbove': {
      const [base, more] = wanted as [number, number];
      return unless(typeof got === 'number' && got <= base + more);
    }
    case '$not':
      return unless(differences(wanted, got).length > 0);
    case '$exact':
      return unless(isDeepStrictEqual(got, wanted));
    case '$length':
      return unless(Array.isArray(got) && got.length === wanted);
    case '$has':
      return unless(
        Array.isArray(got) &&
          (wanted as unknown[]).every((value) => got.some((entry) => differences(value, entry).length === 0)),
      );
    case '$hasExactly': {
      const left = Array.isArray(got) ? [...got] : [];
      const isFound = (value: unknown) => {
        const at = left.findIndex((entry) => differences(value, entry).length === 0);
        return at >= 0 && left.splice(at, 1).length === 1;
      };
      return unless(Array.isArray(got) && (wanted as unknown[]).every(isFound) && left.length === 0);
    }
    case '$inAnyOrder':
      return unless(Array.isArray(got) && show([...got].sort()) === show([...(wanted as unknown[])].sort()));
    case '$each':
      if (!Array.isArray(got)) return unless(false);
      return got.flatMap((entry, i) => differences(wanted, entry, `${place}[${i}]`));
    default:
      return [`${place}: the case uses ${name}, which is no matcher`];
  }
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const show = (value: unknown) => {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 400 ? `${text.slice(0, 400)}… (${text.length} characters)` : text;
};
