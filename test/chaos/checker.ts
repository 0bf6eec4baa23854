import { checkComponents } from './checks/components.js';
import { checkContent } from './checks/content.js';
import { checkEnds } from './checks/ends.js';
import { gather } from './checks/facts.js';
import { checkMemberships } from './checks/memberships.js';
import { checkOrder } from './checks/order.js';
import { checkSends } from './checks/sends.js';
import { checkSequences } from './checks/sequences.js';
import type { Violation } from './checks/violation.js';
import type { Timed } from './history.js';

export type { Violation };

/** Returns the guarantees that a history breaks. It uses only the history. */
export function check(entries: readonly Timed[]): Violation[] {
  const facts = gather(entries);
  return [
    checkSequences,
    checkContent,
    checkOrder,
    checkMemberships,
    checkComponents,
    checkSends,
    checkEnds,
  ].flatMap((part) => [...part(facts)]);
}
