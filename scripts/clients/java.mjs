// How `clients/java` is prepared, tested and driven. Maven generates the code of the contract.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { alone, root } from '../build.mjs';

const home = join(root, 'clients', 'java');
const target = join(home, 'target');
/** The classpath of the driver and the examples; written by the build. */
const classpathFile = join(target, 'classpath.txt');

const works = (command, args) => spawnSync(command, args, { stdio: 'ignore', timeout: 20_000 }).status === 0;

/** Maven in batch mode, without a progress bar. */
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

/** The newest modification time of the files in a folder. */
function youngest(path) {
  const at = statSync(path);
  if (!at.isDirectory()) return at.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => youngest(join(path, name))));
}

async function build() {
  const sources = ['src', 'conformance', 'examples', 'pom.xml', '../../proto/spread'].map((name) =>
    join(home, name),
  );
  const built = existsSync(classpathFile) ? statSync(classpathFile).mtimeMs : 0;
  if (built > Math.max(...sources.filter(existsSync).map(youngest))) return;
  await maven('test-compile', 'dependency:build-classpath', `-Dmdep.outputFile=${classpathFile}`);
  // Its modification time is the time of the build.
  writeFileSync(classpathFile, readFileSync(classpathFile));
}

/** Concurrent calls wait for each other, because they share Maven's folder. */
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
  generated: [],
  prepare,
  test: () => ({ command: 'mvn', args: ['-B', '-ntp', 'test'], cwd: home }),
  driver: () => run('org.spreadsidecar.conformance.Driver'),
  example: (name, args) => run(`Example${name[0].toUpperCase()}${name.slice(1)}`, args),
};
