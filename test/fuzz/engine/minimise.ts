import { type Input, sizeOf } from './input.js';

/**
 * A smaller input that still `fails`. Removes pieces first, then ranges of bytes, with at most `tries` attempts.
 */
export async function minimise(
  input: Input,
  fails: (input: Input) => Promise<boolean>,
  tries: number,
): Promise<Input> {
  let best = input;
  let left = tries;
  const attempt = async (candidate: Input): Promise<boolean> => {
    if (left <= 0 || sizeOf(candidate) + candidate.length >= sizeOf(best) + best.length) return false;
    left -= 1;
    if (!(await fails(candidate))) return false;
    best = candidate;
    return true;
  };
  for (let progress = true; progress && left > 0; ) {
    progress = false;
    for (let i = best.length - 1; i >= 0; i--)
      if (await attempt(best.filter((_, at) => at !== i))) progress = true;
    for (let i = 0; i < best.length; i++)
      for (let size = best[i]!.length; size >= 1 && left > 0; size >>= 1)
        for (let at = 0; at < best[i]!.length && left > 0; ) {
          const piece = best[i]!;
          const shorter = Buffer.concat([piece.subarray(0, at), piece.subarray(at + size)]);
          if (await attempt(best.map((other, place) => (place === i ? shorter : other)))) progress = true;
          else at += size;
        }
  }
  return best;
}
