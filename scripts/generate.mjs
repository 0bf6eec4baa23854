// `npm run gen`: generates all generated files of the repository. `--check` fails if a tracked file changes,
// and names the files and the command that fixes them.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ensureBuilt, root } from './build.mjs';
import { clients } from './clients/index.mjs';
import { helmCommand } from './helm/commands.mjs';

const generated = [
  'proto/src/gen',
  'server/src/grpc/services/descriptors.ts',
  'server/src/grpc/codec/error-table.ts',
  'server/src/observability/metrics/limit-names.ts',
  'proto/spread/sidecar/v1/mailbox_service.proto',
  'clients/go/codes.go',
  'clients/go/reasons.go',
  'clients/java/src/main/java/org/spreadsidecar/client/Spread.java',
  'clients/python/src/spread_sidecar/constants.py',
  'clients/python/src/spread_sidecar/error_codes.py',
  'clients/rust/src/code.rs',
  'clients/rust/src/reason.rs',
  'clients/typescript/src/constants.ts',
  'clients/typescript/src/error-codes.ts',
  'docs/errors.md',
  'docs/headers.md',
  'clients/README.md',
  'test/conformance/README.md',
  'docs/configuration.md',
  'docs/metrics.md',
  'docs/logs.md',
  'docs/spread-api.md',
  'sbom.cdx.json',
  'deploy/helm/spread-sidecar/values.schema.json',
  'deploy/helm/spread-sidecar/README.md',
  'deploy/kubernetes',
];

function run(args) {
  const result = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH}` },
  });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

// The contract and the compiled sources contain errors.
run([join('scripts', 'generate-errors.mjs')]);
await ensureBuilt();
run(['node_modules/@bufbuild/buf/bin/buf', 'generate']);
// `buf generate` deletes the descriptors, without which the sidecar does not compile.
run([join('scripts', 'generate-descriptors.mjs')]);
await ensureBuilt();
for (const client of clients.filter(({ generate }) => generate)) {
  if (client.isAvailable()) await client.generate();
  // In CI, all tools are installed, and a missing one fails the tests by name.
  else console.log(`Not generated: ${client.generated.join(', ')}. ${client.enable}`);
}
for (const script of [
  'generate-config-docs.mjs',
  'generate-metrics-docs.mjs',
  'generate-logs-docs.mjs',
  'generate-parity-table.mjs',
  'generate-rule-table.mjs',
  'generate-header-vectors.mjs',
  'generate-sbom.mjs',
  'helm/generate-values.mjs',
])
  run([join('scripts', script)]);

if (helmCommand('4') ?? helmCommand('3')) run([join('scripts', 'helm', 'generate-manifests.mjs')]);
else console.log('Not generated: deploy/kubernetes. Install Helm.');

if (process.argv.includes('--check')) {
  const all = [...generated, ...clients.flatMap((client) => client.generated)];
  const status = spawnSync('git', ['status', '--porcelain', '--', ...all], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status.stdout.trim()) {
    console.error(
      `Generated files differ from their sources. Run \`npm run gen\` and commit:\n${status.stdout}`,
    );
    process.exit(1);
  }
  console.log('Generated files are up to date.');
}
