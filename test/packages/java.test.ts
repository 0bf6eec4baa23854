import { readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { connect } from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import { firstProgram } from '../support/readme-programs.js';
import { isAvailable } from '../support/requirements.mjs';
import { runCommand } from '../support/run-command.js';
import { startSidecar } from '../support/sidecar-fixture.js';
import { temporaryFolder } from '../support/tmp.js';
import { unbuiltClone } from '../support/unbuilt-clone.js';

describe.skipIf(!isAvailable('packages') || !isAvailable('java'))(
  'the Java library of an unbuilt clone',
  () => {
    it('runs the program of the README in an empty folder, also while an earlier run holds the name', async () => {
      const clone = temporaryFolder();
      unbuiltClone(clone, 'clients/java');
      const home = join(clone, 'clients/java');
      const dependencies = join(clone, 'dependencies.txt');
      const goals = ['package', 'dependency:build-classpath', `-Dmdep.outputFile=${dependencies}`];
      await runCommand('mvn', ['-B', '-q', '-ntp', '-DskipTests', ...goals], {
        cwd: home,
        timeoutMs: 500_000,
      });
      const [, version] = /<artifactId>spread-sidecar-client<\/artifactId>\s+<version>([^<]+)/.exec(
        readFileSync(join(home, 'pom.xml'), 'utf8'),
      )!;
      const jar = join(home, 'target', `spread-sidecar-client-${version}.jar`);
      expect(await runCommand('jar', ['tf', jar])).toContain('META-INF/LICENSE\n');

      const project = temporaryFolder();
      const classpath = [jar, readFileSync(dependencies, 'utf8').trim()].join(delimiter);
      writeFileSync(join(project, 'ExampleHello.java'), firstProgram('clients/java/README.md', 'java'));
      await runCommand('javac', ['-cp', classpath, '-d', project, 'ExampleHello.java'], { cwd: project });
      const { target } = await startSidecar();
      await connect({ target, privateName: 'hello' });
      const run = ['-cp', [project, classpath].join(delimiter), 'ExampleHello', target];
      expect(await runCommand('java', run)).toBe('#hello2#localhost to greetings: hello, group\n');
    }, 600_000);
  },
);
