/** What a check found. */
export interface CheckResult {
  ok: boolean;
  /** What is wrong, or worth knowing. */
  message?: string;
}

/** A named question about the sidecar's state. May be asked often: must be cheap. */
export interface Check {
  name: string;
  check(): CheckResult;
}

/** The checks behind each probe. */
export interface ProbeChecks {
  /** Whether the process is worth keeping. Must not depend on Spread: restarting the sidecar cures no daemon. */
  livez: readonly Check[];
  /** Whether calls can be served now. */
  readyz: readonly Check[];
  /** Whether the start is over. */
  startupz: readonly Check[];
}

/** All results of one probe. */
export interface Report {
  ok: boolean;
  checks: { name: string; ok: boolean; message?: string }[];
}

export function runChecks(checks: readonly Check[]): Report {
  const results = checks.map(({ name, check }) => {
    try {
      return { name, ...check() };
    } catch {
      return { name, ok: false, message: 'the check itself failed' };
    }
  });
  return { ok: results.every((result) => result.ok), checks: results };
}

/** For people and probes that want no JSON: `ok`, or a line for each check that failed. */
export function reportText(report: Report): string {
  if (report.ok) return 'ok\n';
  const failed = report.checks.filter((result) => !result.ok);
  return failed.map(({ name, message }) => `${name}: ${message ?? 'failed'}\n`).join('');
}
