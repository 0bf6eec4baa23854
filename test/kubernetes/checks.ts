import type { Check } from './check.js';
import { DAEMON_CHECKS } from './daemon-checks.js';
import { INJECTION_CHECKS } from './injection-checks.js';
import { MODE_CHECKS } from './mode-checks.js';
import { PAGE_SNIPPETS_CHECK } from './page-snippets-check.js';
import { ROLLING_UPDATE_CHECK } from './rolling-update-check.js';
import { SIDECAR_CHECKS } from './sidecar-checks.js';
import { SINGLE_STACK_CHECK } from './single-stack-check.js';

export const CHECKS: readonly Check[] = [
  ...MODE_CHECKS,
  ...SIDECAR_CHECKS,
  ...INJECTION_CHECKS,
  ...DAEMON_CHECKS,
  PAGE_SNIPPETS_CHECK,
  SINGLE_STACK_CHECK,
  ROLLING_UPDATE_CHECK,
];
