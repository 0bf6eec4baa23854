import { describe, expect, it } from 'vitest';
import { createLogger } from '../../../../server/src/observability/index.js';
import { securityLog } from '../../../../server/src/observability/log/security-log.js';

function logged() {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => lines.push(JSON.parse(line)) };
  let now = 0;
  const events = securityLog(createLogger({ level: 'trace', format: 'json', destination }), () => now);
  return { lines, events, pass: (ms: number) => (now += ms) };
}

describe('the log of rejections', () => {
  it('has one line for each reason in ten seconds, which counts the suppressed ones', () => {
    const { lines, events, pass } = logged();
    for (let i = 0; i < 5; i++) events.refused('CREDENTIAL_INVALID', { peer: `10.0.0.1:${i}` });
    events.refused('TLS_GONE', { peer: '10.0.0.2:1' });
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatchObject({ level: 'warn', reason: 'CREDENTIAL_INVALID', peer: '10.0.0.1:0' });
    expect(lines[1]).toMatchObject({ level: 'debug', reason: 'TLS_GONE' });
    pass(9_999);
    events.refused('CREDENTIAL_INVALID', {});
    expect(lines).toHaveLength(2);
    pass(1);
    events.refused('CREDENTIAL_INVALID', { peer: '10.0.0.1:9' });
    expect(lines[2]).toMatchObject({ reason: 'CREDENTIAL_INVALID', peer: '10.0.0.1:9', more: 5 });
    pass(10_000);
    events.refused('CREDENTIAL_INVALID', {});
    expect(lines[3]).not.toHaveProperty('more');
  });

  it('reports loaded and failed files', () => {
    const { lines, events } = logged();
    events.loaded('tls', { expiresAtMs: 0 });
    events.loaded('client-tokens', { count: 3 });
    events.reloadFailed('admin-tokens', new Error('it contains no token'));
    expect(lines).toMatchObject([
      { level: 'info', expires: '1970-01-01T00:00:00.000Z', msg: 'the TLS certificates are loaded' },
      { level: 'info', count: 3, msg: 'the client tokens are loaded' },
      { level: 'error', msg: expect.stringContaining('it contains no token') },
    ]);
  });
});
