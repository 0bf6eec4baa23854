import { beforeAll, describe, expect, it } from 'vitest';
import { clients } from '../../scripts/clients/index.mjs';
import { isAvailable } from '../support/requirements.mjs';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { startTracingExample } from '../support/tracing/tracing-example.js';

/** Languages with a tracing example, and the requirement of the example. */
const LANGUAGES = {
  typescript: undefined,
  python: 'python-opentelemetry',
  go: 'go',
  java: 'java',
  rust: 'rust',
};

describe.each(Object.entries(LANGUAGES))('the tracing example in %s', (language, requirement) => {
  const isMissing = requirement !== undefined && !isAvailable(requirement);
  const client = clients.find((one) => one.language === language);
  beforeAll(() => (isMissing ? undefined : client?.prepare()), 600_000);

  it.skipIf(isMissing)(
    'continues the trace of its own message, also through a sidecar without tracing',
    { timeout: 120_000 },
    async () => {
      const { target } = await startSidecar();
      const receiver = startTracingExample(language, ['receive', target]);
      await receiver.ready();
      const sent = await startTracingExample(language, ['send', target]).ids('sent in');
      const received = await receiver.ids('received in');
      expect(received).toEqual({
        traceId: sent.traceId,
        spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
        after: sent.spanId,
      });
      expect(received.spanId).not.toBe(sent.spanId);
    },
  );
});
