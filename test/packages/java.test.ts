import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { connect } from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import { IMAGE_MS, moduleEnvironment, sidecarImage } from '../support/containers/image.js';
import { isAvailable } from '../support/requirements.mjs';
import { runCommand } from '../support/run-command.js';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { temporaryFolder } from '../support/tmp.js';
import { firstProgram } from './readme-programs.js';
import { unbuiltClone } from './unbuilt-clone.js';

describe.skipIf(!isAvailable('packages') || !isAvailable('java'))(
  'the Java library of an unbuilt clone',
  () => {
    it('runs the program of the README in an empty folder, also while an earlier run holds the name', async () => {
      const clone = temporaryFolder();
      unbuiltClone(clone, 'clients/java');
      unbuiltClone(clone, 'proto');
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

    it.skipIf(!isAvailable('docker'))(
      'runs the first program of the README of the Testcontainers module in an empty project',
      async () => {
        const image = await sidecarImage();
        const clone = temporaryFolder();
        unbuiltClone(clone, 'clients');
        unbuiltClone(clone, 'proto');
        const project = join(clone, 'project');
        const tests = join(project, 'src/test/java');
        mkdirSync(tests, { recursive: true });
        const page = 'clients/testcontainers/java/README.md';
        writeFileSync(join(tests, 'SampleTest.java'), firstProgram(page, 'java'));
        writeFileSync(join(project, 'pom.xml'), projectWith(firstProgram(page, 'xml')));
        // One build creates and uses the jars, so that nothing is installed into the user's repository.
        writeFileSync(join(clone, 'pom.xml'), BUILD);
        const only = ['-Dtest=SampleTest,!org/spreadsidecar/**', '-Dsurefire.failIfNoSpecifiedTests=false'];
        const printed = await runCommand('mvn', ['-B', '-ntp', 'package', ...only], {
          cwd: clone,
          env: { ...process.env, ...moduleEnvironment(image) },
          timeoutMs: 500_000,
        });
        expect(printed.match(/Tests run: \d+/g)).toEqual(['Tests run: 1', 'Tests run: 1']);
      },
      IMAGE_MS + 600_000,
    );
  },
);

const BUILD = `
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>example</groupId><artifactId>build</artifactId><version>1</version><packaging>pom</packaging>
  <modules>
    <module>clients/java</module>
    <module>clients/testcontainers/java</module>
    <module>project</module>
  </modules>
</project>
`;

/** A separate Maven project with JUnit and this dependency. */
const projectWith = (dependency: string) => `
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>example</groupId><artifactId>greeting</artifactId><version>1</version>
  <properties><maven.compiler.release>17</maven.compiler.release></properties>
  <dependencies>
    ${dependency}
    <dependency>
      <groupId>org.junit.jupiter</groupId><artifactId>junit-jupiter</artifactId><version>5.13.4</version>
      <scope>test</scope>
    </dependency>
  </dependencies>
  <build><plugins>
    <plugin><artifactId>maven-compiler-plugin</artifactId><version>3.14.1</version></plugin>
    <plugin><artifactId>maven-surefire-plugin</artifactId><version>3.5.4</version></plugin>
  </plugins></build>
</project>
`;
