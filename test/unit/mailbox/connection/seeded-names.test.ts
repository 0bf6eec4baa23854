import { describe, expect, it } from 'vitest';
import { SeededNames } from '../../../../server/src/mailbox/connection/seeded-names.js';
import { checkPrivateName } from '../../../../server/src/spread/wire/index.js';

const POD = '0f8fad5b-d9cb-469f-a165-70867728950e';

describe('private names of a seed', () => {
  it('start with a part that is the same for the same seed, and different for others', () => {
    const { prefix } = new SeededNames(POD);
    // People look up the names of a pod after its end, so the algorithm must not change.
    expect(prefix).toBe(new SeededNames(POD).prefix);
    expect(prefix).toMatch(/^[a-z2-9]{7}$/);
    const prefixes = new Set(Array.from({ length: 1000 }, (_, i) => new SeededNames(`${POD}${i}`).prefix));
    expect(prefixes.size).toBe(1000);
  });

  it('are 1296 different valid names, with room for a suffix, and then repeat', () => {
    const names = new SeededNames(POD);
    const made = Array.from({ length: 1296 }, () => names.next());
    expect(new Set(made).size).toBe(1296);
    for (const name of made) {
      expect(name.length).toBeLessThanOrEqual(9);
      checkPrivateName(name);
    }
    expect(names.next()).toBe(made[0]);
  });
});
