/** `; did you mean "x"?` for a candidate that is similar to `given`, or an empty string. */
export function didYouMean(given: string, candidates: readonly string[]): string {
  const wanted = bare(given);
  let best: string | undefined;
  // With more than a third of the letters different, the word is not a typing mistake.
  let bound = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, bare(candidate), bound);
    if (distance < bound) [best, bound] = [candidate, distance];
  }
  return best === undefined ? '' : `; did you mean ${best}?`;
}

/** For the comparison, maxGroups, max-groups and MAX_GROUPS are the same word. */
function bare(name: string): string {
  return name.replace(/[^A-Za-z0-9]/g, '').toLowerCase();
}

/** Number of insertions, deletions, replacements and swaps of neighbours that change a to b. At most `bound`. */
function editDistance(a: string, b: string, bound: number): number {
  if (Math.abs(a.length - b.length) >= bound) return bound;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, beforeLast[j - 2]! + 1);
      row.push(cost);
    }
    if (Math.min(...row) >= bound) return bound;
    [beforeLast, last] = [last, row];
  }
  return last[b.length]!;
}
