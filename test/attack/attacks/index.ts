import type { Attack } from '../attack.js';
import { adminBodies } from './admin-bodies.js';
import { adminConnections } from './admin-connections.js';
import { adminHealth } from './admin-health.js';
import { adminJsonPages } from './admin-json-pages.js';
import { adminPipelining } from './admin-pipelining.js';
import { adminRequests } from './admin-requests.js';
import { adminSlowReaders } from './admin-slow-readers.js';
import { batchFlood } from './batch-flood.js';
import { callFlood } from './call-flood.js';
import { fanOutFlood } from './fan-out-flood.js';
import { stalledReceivers } from './stalled-receivers.js';
import { unauthenticatedCalls } from './unauthenticated-calls.js';
import { unreadResponses } from './unread-responses.js';

/** Every attack, in the order in which they run. */
export const ATTACKS: readonly Attack[] = [
  adminPipelining,
  adminRequests,
  adminConnections,
  adminSlowReaders,
  adminBodies,
  adminHealth,
  adminJsonPages,
  unauthenticatedCalls,
  unreadResponses,
  stalledReceivers,
  callFlood,
  batchFlood,
  fanOutFlood,
];
