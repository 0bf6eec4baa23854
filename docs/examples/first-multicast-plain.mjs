// A first multicast with nothing but gRPC: no client library of ours, only the contract.
//   node docs/examples/first-multicast-plain.mjs 127.0.0.1:4813
import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const protos = fileURLToPath(new URL('../../proto', import.meta.url));
const definition = loadSync('spread/sidecar/v1/mailbox_service.proto', {
  includeDirs: [protos],
  keepCase: true,
  longs: Number,
  enums: String,
  oneofs: true,
});
const { MailboxService } = grpc.loadPackageDefinition(definition).spread.sidecar.v1;
const sidecar = new MailboxService(process.argv[2] ?? '127.0.0.1:4813', grpc.credentials.createInsecure());

const call = (method, request) =>
  new Promise((resolve, reject) => {
    const deadline = Date.now() + 5000;
    sidecar[method](request, { deadline }, (error, response) => (error ? reject(error) : resolve(response)));
  });

// A program that ends without Disconnect leaves its mailbox, and the private name, to the lease: 30 s by default.
const { mailbox_id, private_group } = await call('Connect', {
  private_name: 'hello',
  on_name_conflict: 'NAME_CONFLICT_POLICY_SUFFIX',
});
console.log('connected as', private_group);

const { view } = await call('Join', { mailbox_id, group: 'greetings', await_view: true });
console.log('members of greetings:', view.members.join(', '));

const message = {
  service_type: 'SERVICE_TYPE_AGREED',
  groups: ['greetings'],
  payload: Buffer.from('hello, group'),
};
await call('Multicast', { mailbox_id, message });

const stream = sidecar.Receive({ mailbox_id }, { deadline: Date.now() + 5000 });
for await (const frame of stream) {
  const got = frame.batch?.events.find((event) => event.regular_message)?.regular_message;
  if (!got) continue;
  console.log(`${got.sender} says: ${got.payload}`);
  break;
}
await call('Disconnect', { mailbox_id });
sidecar.close();
