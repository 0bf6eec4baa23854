// The layers of docs/architecture.md as rules: imports point down.
const only = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: '^(server/src|proto|clients|test|scripts)/', pathNot: allowed },
});

/** Rules for the folders of one layer, lowest first: a folder imports only itself and the folders before it in the list. */
const upward = (layer, folders) =>
  folders.map((folder, index) => ({
    name: `${layer}-${folder}-imports-down`,
    comment: `${layer}/${folder} imports no folder above it.`,
    severity: 'error',
    from: { path: `^server/src/${layer}/${folder}/` },
    to: { path: `^server/src/${layer}/(${folders.slice(index + 1).join('|') || 'none'})/` },
  }));

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'Files must not import each other in a cycle, because imports point down.',
      from: {},
      to: { circular: true },
    },
    only(
      'wire-imports-nothing',
      '^server/src/spread/wire/',
      '^server/src/spread/wire/',
      'Functions that read and write bytes import no other code of the project.',
    ),
    only(
      'envelope-alone',
      '^server/src/envelope/',
      '^server/src/envelope/',
      'Functions that read and write bytes import no other code of the project.',
    ),
    only(
      'memory-alone',
      '^server/src/memory/',
      '^server/src/memory/',
      'The buffer pool does not depend on the content of its buffers.',
    ),
    only(
      'timing-alone',
      '^server/src/timing/',
      '^server/src/timing/',
      'Clocks and timers do not depend on the code that uses them.',
    ),
    only(
      'net-alone',
      '^server/src/net/',
      '^server/src/net/',
      'Listeners do not depend on the servers that use them.',
    ),
    only(
      'spread-imports-wire',
      '^server/src/spread/(?!wire/)',
      '^server/src/(spread|memory|timing)/',
      'The Spread client library depends on neither gRPC nor the sidecar.',
    ),
    only(
      'daemon-imports-wire',
      '^server/src/daemon/',
      '^server/src/(daemon|spread/wire|timing|net)/',
      'The embedded daemon shares only the wire format with the Spread client library.',
    ),
    only(
      'mailbox-imports-spread',
      '^server/src/mailbox/',
      '^server/src/(mailbox|spread|memory|timing)/',
      'A mailbox depends on Spread, but not on gRPC.',
    ),
    only(
      'grpc-imports-mailbox',
      '^server/src/grpc/',
      '^(server/src/(grpc|mailbox|spread|envelope|memory|timing|net)|proto)/',
      'The gRPC edge is built on mailboxes.',
    ),
    only(
      'tracing-imports-interfaces',
      '^server/src/tracing/',
      '^server/src/(tracing/|grpc/codec/tracing|envelope/|observability/trace-context|config/index)',
      'Tracing implements the interface of the gRPC edge.',
    ),
    {
      name: 'opentelemetry-only-in-tracing',
      severity: 'error',
      comment: 'Without tracing, the sidecar loads no package of OpenTelemetry.',
      from: { path: '^server/src/', pathNot: '^server/src/tracing/' },
      to: { path: 'node_modules/@opentelemetry' },
    },
    {
      name: 'opentelemetry-loaded-on-demand',
      severity: 'error',
      comment: 'A static import would load the packages of OpenTelemetry at each start.',
      from: { path: '^server/src/', pathNot: '^server/src/tracing/' },
      to: {
        path: '^server/src/tracing/(?!tracing-settings)',
        dependencyTypesNot: ['dynamic-import', 'type-only'],
      },
    },
    only(
      'admin-imports-grpc',
      '^server/src/admin/',
      '^server/src/(admin|grpc|memory|timing|net)/',
      'The admin pages use the gRPC server for health, and its listeners.',
    ),
    only(
      'status-imports-admin',
      '^server/src/status/',
      '^server/src/(status/|admin/|mailbox/telemetry|mailbox/registry/statistics|observability/index)',
      'The status pages depend only on the admin port and on the reports of the parts.',
    ),
    {
      name: 'only-sidecar-imports-status',
      severity: 'error',
      comment: 'Only the sidecar depends on the status pages.',
      from: { path: '^server/src/', pathNot: '^server/src/(status|sidecar)' },
      to: { path: '^server/src/status/' },
    },
    ...upward('grpc', ['client', 'codec', 'transport', 'calls', 'handlers', 'services']),
    ...upward('mailbox', ['queue', 'outbound', 'connection', 'lifetime', 'registry']),
    only(
      'config-alone',
      '^server/src/config/',
      '^server/src/config/',
      'Configuration imports no other code of the server.',
    ),
    only(
      'observability-imports-telemetry',
      '^server/src/observability/',
      '^server/src/(observability/|mailbox/telemetry|mailbox/mailbox-types|mailbox/queue/receiver|mailbox/registry/statistics|grpc/calls/methods|daemon/events)',
      'Observability depends only on the declarations of events and statistics.',
    ),
    only(
      'cli-imports-sidecar',
      '^server/src/cli/',
      '^(server/src/(cli/|sidecar|config/|daemon/|net/|spread/|observability/|grpc/client/)|clients/typescript/)',
      'Commands use only the public interface of the sidecar and of its client.',
    ),
    only(
      'proto-alone',
      '^proto/',
      '^proto/',
      'The generated code imports no code of the server or the client.',
    ),
    only(
      'clients-alone',
      '^clients/typescript/src/',
      '^(clients/typescript/src|proto)/',
      'A client never imports the server.',
    ),
    only(
      'client-rules-without-io',
      '^clients/typescript/src/rules/',
      '^(clients/typescript/src/(rules/|spread-error|batch-encoder)|proto/)',
      'The rules of docs/client-rules.md import no code with I/O.',
    ),
    {
      name: 'sidecar-imports-no-command',
      severity: 'error',
      comment: 'The sidecar runs without the command line.',
      from: { path: '^server/src/sidecar' },
      to: { path: '^server/src/(main|cli/)' },
    },
    {
      name: 'nothing-imports-sidecar',
      severity: 'error',
      comment: 'sidecar.ts creates and connects the parts; only cli and main use it.',
      from: { path: '^server/src/', pathNot: '^server/src/(main|sidecar|cli/)' },
      to: { path: '^server/src/(sidecar|main|cli/)' },
    },
    {
      name: 'grpc-js-only-at-the-edge',
      severity: 'error',
      comment: 'Only grpc/ imports @grpc/* and the generated code.',
      from: { path: '^server/src/', pathNot: '^server/src/grpc/' },
      to: { path: '(node_modules/(@grpc|grpc-health-check)|^proto/)' },
    },
    {
      name: 'prom-client-only-in-metrics',
      severity: 'error',
      comment: 'Only the metrics depend on prom-client.',
      from: { path: '^server/src/', pathNot: '^server/src/observability/metrics' },
      to: { path: 'node_modules/prom-client' },
    },
    {
      name: 'client-package-only-in-cli',
      severity: 'error',
      comment: 'Only the commands use the client package, because they are clients of the sidecar.',
      from: { path: '^server/src/', pathNot: '^server/src/cli/' },
      to: { path: '(^clients/|spread-sidecar-client)' },
    },
    {
      name: 'no-dev-dependencies',
      severity: 'error',
      comment: 'Shipped code must not import development dependencies.',
      from: { path: '^(server|clients/typescript|proto)/src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg'] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'default'],
      extensions: ['.ts', '.js', '.mjs'],
    },
  },
};
