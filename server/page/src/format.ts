const NUMBERS = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const DECIMALS = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** 12,345 */
export const number = (value: number): string => NUMBERS.format(value);

/** A rate: one decimal below 10. */
export const rate = (value: number): string => (value < 9.95 ? DECIMALS : NUMBERS).format(value);

/** 1.5 MiB */
export function bytes(value: number): string {
  let unit = 0;
  let size = value;
  while (size >= 1024 && unit < UNITS.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${(unit === 0 || size >= 99.95 ? NUMBERS : DECIMALS).format(size)} ${UNITS[unit]}`;
}

/** The two largest units: 2 d 4 h, 3 min 5 s, 1.5 s. */
export function duration(ms: number): string {
  if (ms < 10_000) return `${DECIMALS.format(Math.max(0, ms) / 1000)} s`;
  const seconds = Math.floor(ms / 1000);
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([value]) => value > 0);
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ');
}

/** 12:03:05 in UTC, as in the log; with the date if it is not the date of `now`. */
export function time(iso: string, now: string): string {
  const clock = iso.slice(11, 19);
  return iso.slice(0, 10) === now.slice(0, 10) ? clock : `${iso.slice(0, 10)} ${clock}`;
}

/** An identity without the rest of a long digest. */
export function shortIdentity(identity: string): string {
  return identity.replace(/\b([0-9a-f]{8})[0-9a-f]{24,}\b/g, '$1…');
}

/** The used part of a limit, from 0 to 1. */
export const ratio = (value: number, limit: number): number =>
  limit > 0 ? Math.min(1, value / limit) : value > 0 ? 1 : 0;
