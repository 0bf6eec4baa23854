import { once } from 'node:events';
import { getContainerRuntimeClient, type StartedTestContainer } from 'testcontainers';
import { onTestFinished } from 'vitest';
import { within } from './until.js';

/** What ends with the test that started it. */
export async function started<Started extends { stop(): Promise<unknown> }>(
  starting: Promise<Started>,
): Promise<Started> {
  const what = await starting;
  onTestFinished(async () => {
    await what.stop();
  });
  return what;
}

/** A container as the engine has it, for what Testcontainers does not do: pause, kill, wait. */
export async function inEngine(container: StartedTestContainer) {
  return (await getContainerRuntimeClient()).container.getById(container.getId());
}

/** A network as the engine has it. */
export async function networkInEngine(id: string) {
  return (await getContainerRuntimeClient()).network.getById(id);
}

/** Signals its first process, and waits for its end; resolves to the exit code. */
export async function endBy(container: StartedTestContainer, signal: NodeJS.Signals): Promise<number> {
  const inside = await inEngine(container);
  const ended = inside.wait() as Promise<{ StatusCode: number }>;
  await inside.kill({ signal });
  return (await within(ended, `the end after ${signal}`, 20_000)).StatusCode;
}

/** Everything that it has printed. Its log ends with it. */
export async function logOf(container: StartedTestContainer): Promise<string> {
  const stream = await container.logs();
  let text = '';
  stream.on('data', (chunk) => {
    text += chunk;
  });
  await within(once(stream, 'end'), 'the end of the log');
  return text;
}
