import type { Scenario } from '../scenario.js';
import { CHURN } from './churn.js';
import { CLIENTS } from './clients.js';
import { FAN_OUT } from './fan-out.js';
import { MAILBOXES } from './mailboxes.js';
import { MODULE } from './module.js';
import { QUEUE } from './queue.js';
import { ROUND_TRIP } from './round-trip.js';
import { START } from './start.js';
import { THROUGHPUT } from './throughput.js';

/** Every scenario, in the order of a round. */
export const SCENARIOS: readonly Scenario[] = [
  ...THROUGHPUT,
  ...ROUND_TRIP,
  ...FAN_OUT,
  ...MAILBOXES,
  ...CHURN,
  ...QUEUE,
  ...START,
  ...CLIENTS,
  ...MODULE,
];
