// What `clients/java` needs of others: how it is generated, prepared, tested and driven.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { alone, root } from '../build.mjs';

const home = join(root, 'clients', 'java');
const gen = join(home, 'src', 'generated', 'java');
const target = join(home, 'target');
/** What the driver and the examples are run with; written when they are built. */
const classpathFile = join(target, 'classpath.txt');

const works = (command, args) => spawnSync(command, args, { stdio: 'ignore', timeout: 20_000 }).status === 0;

/** Maven, without asking and without a progress bar. */
function maven(...args) {
  return new Promise((resolve, reject) => {
    const child = spawn('mvn', ['-B', '-q', '-ntp', ...args], {
      cwd: home,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve(output) : reject(new Error(`mvn ${args.join(' ')} failed:\n${output}`)),
    );
  });
}

const property = (name) =>
  new RegExp(`<${name}>([^<]+)</${name}>`).exec(readFileSync(join(home, 'pom.xml'), 'utf8'))[1];

/** A compiler from Maven Central, for this machine. */
async function tool(artifact) {
  const platform = `${process.platform === 'darwin' ? 'osx' : 'linux'}-${process.arch === 'arm64' ? 'aarch_64' : 'x86_64'}`;
  const folder = join(target, 'tools');
  await maven(
    'dependency:copy',
    `-Dartifact=${artifact}:exe:${platform}`,
    `-DoutputDirectory=${folder}`,
    '-Dmdep.stripVersion=true',
  );
  const [, name] = artifact.split(':');
  const path = join(
    folder,
    readdirSync(folder).find((file) => file.startsWith(`${name}-${platform}`)),
  );
  chmodSync(path, 0o755);
  return path;
}

async function generate() {
  const protoc = await tool(`com.google.protobuf:protoc:${property('protobuf.version')}`);
  const grpc = await tool(`io.grpc:protoc-gen-grpc-java:${property('grpc.version')}`);
  // The contract names no package for Java: it is chosen here, where it is used.
  const template = {
    version: 'v2',
    clean: true,
    managed: {
      enabled: true,
      override: [
        { file_option: 'java_package', value: 'org.spreadsidecar.v1' },
        { file_option: 'java_multiple_files', value: true },
      ],
    },
    inputs: [{ directory: join(root, 'proto') }],
    plugins: [
      { protoc_builtin: 'java', protoc_path: protoc, out: gen },
      { local: grpc, out: gen, opt: ['@generated=omit'] },
    ],
  };
  const buf = join(root, 'node_modules/@bufbuild/buf/bin/buf');
  const result = spawnSync(process.execPath, [buf, 'generate', '--template', JSON.stringify(template)], {
    cwd: root,
    encoding: 'utf8',
  });
  if (result.status !== 0) throw new Error(`buf generate failed:\n${result.stderr}`);
}

/** The time of the youngest file below a folder. */
function youngest(path) {
  const at = statSync(path);
  if (!at.isDirectory()) return at.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => youngest(join(path, name))));
}

async function build() {
  const sources = ['src', 'conformance', 'examples', 'pom.xml'].map((name) => join(home, name));
  const built = existsSync(classpathFile) ? statSync(classpathFile).mtimeMs : 0;
  if (built > Math.max(...sources.filter(existsSync).map(youngest))) return;
  await maven('test-compile', 'dependency:build-classpath', `-Dmdep.outputFile=${classpathFile}`);
  // Its time says when everything was built.
  writeFileSync(classpathFile, readFileSync(classpathFile));
}

/** Two who prepare it at once wait for each other: Maven's folder is one. */
const prepare = () => alone(build);

const run = (main, args = []) => ({
  command: 'java',
  args: [
    `-Dclient.version=${/<version>([^<]+)</.exec(readFileSync(join(home, 'pom.xml'), 'utf8'))[1]}`,
    ...['-XX:+UseSerialGC', '-cp'],
    [join(target, 'classes'), join(target, 'test-classes'), readFileSync(classpathFile, 'utf8').trim()].join(
      ':',
    ),
    main,
    ...args,
  ],
  cwd: home,
});

export const java = {
  language: 'java',
  title: 'Java',
  enable: 'Install a JDK of release 17 or later, and Maven.',
  isAvailable: () => works('javac', ['-version']) && works('mvn', ['--version']),
  generated: ['clients/java/src/generated'],
  generate,
  prepare,
  test: () => ({ command: 'mvn', args: ['-B', '-ntp', 'test'], cwd: home }),
  driver: () => run('org.spreadsidecar.conformance.Driver'),
  example: (name, args) => run(`Example${name[0].toUpperCase()}${name.slice(1)}`, args),
};
