import { expect, it } from 'vitest';
import { Lease } from '../../../../clients/typescript/src/rules/lease.js';
import { kindOf, readExamples } from './examples.js';

interface LeaseExample {
  leaseMs: number;
  checkEveryMs: number;
  steps: { atMs: number; used?: true; renews?: boolean; attached?: boolean }[];
}

it.each(readExamples<LeaseExample>('lease.json', ['leaseMs', 'checkEveryMs', 'steps']))(
  '%s',
  (_, { leaseMs, checkEveryMs, steps }) => {
    const lease = new Lease(leaseMs, 0);
    expect(lease.checkEveryMs).toBe(checkEveryMs);
    for (const step of steps) {
      const kind = kindOf(step, { used: ['atMs'], renews: ['atMs', 'attached'] });
      if (kind === 'used') lease.used(step.atMs);
      else expect(lease.renews(step.atMs, step.attached ?? false), `at ${step.atMs} ms`).toBe(step.renews);
    }
  },
);
