import { loadSync } from '@grpc/proto-loader';

const FOLDER = new URL('../../../proto', import.meta.url).pathname;
const PACKAGE = 'spread.sidecar.v1.';

interface Descriptor {
  field?: { name: string }[];
  value?: { name: string }[];
}

/**
 * All names of the contract: `Connect` (an RPC), `Event`, `Event.sequence`, `ServiceType`,
 * `SERVICE_TYPE_SAFE`.
 */
export function contractNames(): Set<string> {
  const definition = loadSync('spread/sidecar/v1/mailbox_service.proto', {
    includeDirs: [FOLDER],
    keepCase: true,
  });
  const found = new Set<string>();
  for (const [fullName, entry] of Object.entries(definition)) {
    if (!fullName.startsWith(PACKAGE)) continue;
    const name = fullName.slice(PACKAGE.length);
    found.add(name);
    if (!('format' in entry)) {
      for (const rpc of Object.keys(entry)) found.add(rpc);
      continue;
    }
    const { field = [], value = [] } = entry.type as Descriptor;
    for (const { name: fieldName } of field) found.add(`${name}.${fieldName}`);
    for (const { name: valueName } of value) found.add(valueName);
  }
  return found;
}
