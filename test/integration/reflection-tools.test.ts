import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GRPCURL_VERSIONS, grpcurlCommand, isAvailable, pythonCommand } from '../support/requirements.mjs';
import { runCommand } from '../support/run-command.js';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';

const root = new URL('../..', import.meta.url).pathname;

const SERVICES = [
  'grpc.health.v1.Health',
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
  'spread.sidecar.v1.MailboxService',
];
const FILES = [
  'google/protobuf/duration.proto',
  'google/protobuf/timestamp.proto',
  'grpc/health/v1/health.proto',
  'grpc/reflection/v1/reflection.proto',
  'grpc/reflection/v1alpha/reflection.proto',
  'spread/sidecar/v1/event.proto',
  'spread/sidecar/v1/mailbox_service.proto',
  'spread/sidecar/v1/types.proto',
];

const linesOf = (text: string) => text.trim().split('\n');

// These tools share no code with the server, nor with the generator of the descriptors.
describe.skipIf(!isAvailable('grpcurl')).each(GRPCURL_VERSIONS)(
  'grpcurl %s without .proto files',
  (version) => {
    const grpcurl = (...args: string[]) => runCommand(grpcurlCommand(version), ['-plaintext', ...args]);

    it('lists the services', async () => {
      const { target } = await startSidecar();
      expect(linesOf(await grpcurl(target, 'list'))).toEqual(SERVICES);
    });

    it.each(SERVICES)('describes %s and every message that its methods use', async (service) => {
      const { target } = await startSidecar();
      const described = await grpcurl(target, 'describe', service);
      expect(described).toContain(`${service} is a service`);
      const types = new Set(
        [...described.matchAll(/\( (?:stream )?\.([\w.]+) \)/g)].map(([, type]) => type!),
      );
      expect(types.size).toBeGreaterThan(1);
      for (const type of types)
        expect(await grpcurl('-msg-template', target, 'describe', type)).toContain(`${type} is a message`);
    });

    it('describes a map as a map', async () => {
      const { target } = await startSidecar();
      const message = await grpcurl(target, 'describe', 'grpc.health.v1.HealthListResponse');
      expect(message).toContain('map<string, .grpc.health.v1.HealthCheckResponse> statuses = 1;');
    });

    it('calls a method', async () => {
      const { target } = await startSidecar();
      const request = JSON.stringify({ privateName: 'curl', lease: '5s' });
      const response = JSON.parse(
        await grpcurl('-d', request, target, 'spread.sidecar.v1.MailboxService/Connect'),
      );
      expect(response).toMatchObject({ privateGroup: expect.stringMatching(/^#curl#/) });
      const health = await grpcurl(target, 'grpc.health.v1.Health/Check');
      expect(JSON.parse(health)).toEqual({ status: 'SERVING' });
    });
  },
);

describe('buf curl without .proto files', () => {
  const buf = join(root, 'node_modules', '@bufbuild', 'buf', 'bin', 'buf');
  const curl = (protocol: string, ...args: string[]) =>
    runCommand(process.execPath, [
      ...[buf, 'curl', '--http2-prior-knowledge', '--protocol', 'grpc', '--reflect-protocol', protocol],
      ...args,
    ]);

  it.each(['grpc-v1', 'grpc-v1alpha'])('lists the services and methods by %s', async (protocol) => {
    const { target } = await startSidecar();
    expect(linesOf(await curl(protocol, '--list-services', `http://${target}`))).toEqual(SERVICES);
    const methods = linesOf(await curl(protocol, '--list-methods', `http://${target}`));
    expect(methods).toContain('spread.sidecar.v1.MailboxService/MulticastStream');
    expect(methods).toContain('grpc.health.v1.Health/List');
  });

  it.each(['grpc-v1', 'grpc-v1alpha'])('calls a method by %s', async (protocol) => {
    const { target } = await startSidecar();
    const url = `http://${target}/spread.sidecar.v1.MailboxService/GetVersion`;
    expect(JSON.parse(await curl(protocol, url))).toMatchObject({ sidecar: '0.0.0-test' });
  });
});

const READ_EVERYTHING = `
import json, sys
import grpc
from google.protobuf import descriptor_pool, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

channel = grpc.insecure_channel(sys.argv[1])
database = ProtoReflectionDescriptorDatabase(channel)
pool = descriptor_pool.DescriptorPool(database)
services = sorted(database.get_services())
for service in services:
    for method in pool.FindServiceByName(service).methods:
        message_factory.GetMessageClass(method.input_type)()
        message_factory.GetMessageClass(method.output_type)()
files = [pool.FindFileByName(name).name for name in sys.argv[2:]]

service = "spread.sidecar.v1.MailboxService"
method = pool.FindServiceByName(service).methods_by_name["GetVersion"]
call = channel.unary_unary(
    f"/{service}/GetVersion",
    request_serializer=lambda message: message.SerializeToString(),
    response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
)
version = call(message_factory.GetMessageClass(method.input_type)(), timeout=10).sidecar
numbers = list(database.FindAllExtensionNumbers("spread.sidecar.v1.Event"))
json.dump({"services": services, "files": files, "version": version, "extensions": numbers}, sys.stdout)
`;

describe.skipIf(!isAvailable('python-reflection'))("Python's reflection pool", () => {
  it('builds every served file and calls a method', async () => {
    const { target } = await startSidecar();
    const printed = await runCommand(pythonCommand(), ['-c', READ_EVERYTHING, target, ...FILES]);
    expect(JSON.parse(printed)).toEqual({
      services: SERVICES,
      files: FILES,
      version: '0.0.0-test',
      extensions: [],
    });
  });
});
