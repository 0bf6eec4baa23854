import { describe, expect, it } from 'vitest';
import { isAvailable, pythonCommand } from '../support/requirements.mjs';
import { runCommand } from '../support/run-command.js';
import { startSecured } from '../support/sidecars/secured-sidecar.js';
import { call, TestMailbox } from '../support/sidecars/sidecar-calls.js';

type Sample = [name: string, labels: [string, string][], value: string];
interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: Sample[];
}

/** Prints the families of a page as JSON. Both parsers raise ValueError for a page that violates its format. */
const PARSE = `
import importlib, json, sys, urllib.request

address, parser, accept = sys.argv[1:]
request = urllib.request.Request(f"http://{address}/metrics", headers={"accept": accept})
with urllib.request.urlopen(request) as response:
    page = response.read().decode()
parse = importlib.import_module(f"prometheus_client.{parser}").text_string_to_metric_families

def labels(sample):
    # OpenMetrics writes the bounds of buckets as floats.
    return sorted((name, repr(float(value)) if name == "le" else value) for name, value in sample.labels.items())

print(json.dumps([
    {
        "name": family.name,
        "type": family.type,
        "help": family.documentation,
        "samples": [[s.name, labels(s), repr(s.value)] for s in family.samples],
    }
    for family in parse(page)
]))
`;

const families = async (address: string, parser: string, accept: string): Promise<Family[]> =>
  JSON.parse(await runCommand(pythonCommand(), ['-c', PARSE, address, parser, accept]));

describe.skipIf(!isAvailable('python-prometheus'))('the parsers of prometheus_client', () => {
  it('read the same metrics from /metrics in OpenMetrics 1.0 and in the text format', async () => {
    const sidecar = await startSecured({ MAILBOX_SLOW_NOTICE: '0.1' });
    const client = sidecar.rawClient();
    const mailbox = await TestMailbox.open(client, { queue: { maxEvents: 10n } });
    await mailbox.call('join', { group: 'room', awaitView: true });
    // A slow consumer has its own series, and a rejected group counts as a Spread error.
    for (let sent = 0; sent < 5; sent++) await mailbox.send('room', 'text');
    await call(client, 'join', { mailboxId: mailbox.id, group: 'a b' }).catch(() => {});

    const open = await families(
      sidecar.admin,
      'openmetrics.parser',
      'application/openmetrics-text;version=1.0.0',
    );
    const text = await families(sidecar.admin, 'parser', 'text/plain;version=0.0.4');
    expect(open.length).toBeGreaterThan(50);
    const shape = (found: Family[]) => found.map(({ name, type, help }) => ({ name, type, help }));
    expect(shape(open)).toEqual(shape(text));
    // Node's own metrics change between two requests.
    const samples = (found: Family[]) =>
      found
        .filter(({ name }) => /^(spread_sidecar|grpc_server)_/.test(name))
        .flatMap((family) => family.samples);
    const series = (found: Family[]) =>
      samples(found).map(([name, labels]) => JSON.stringify([name, labels]));
    expect(series(open)).toEqual(series(text));
    const calls = (found: Family[]) => samples(found).filter(([name]) => name.startsWith('grpc_server_'));
    expect(calls(open)).toEqual(calls(text));
    expect(series(open).some((line) => line.includes(mailbox.privateGroup))).toBe(true);
  }, 60_000);
});
