import type { Check } from './check.js';
import { crowd } from './crowd.js';
import { cycles } from './cycles.js';
import { drain } from './drain.js';
import { mailboxes } from './mailboxes.js';
import { page } from './page.js';
import { ready } from './ready.js';
import { requests } from './requests.js';
import { stall } from './stall.js';

export const CHECKS: readonly Check[] = [crowd, cycles, drain, mailboxes, page, ready, requests, stall];
