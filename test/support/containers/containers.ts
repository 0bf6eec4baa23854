import { getContainerRuntimeClient, type StartedTestContainer } from 'testcontainers';
import { onTestFinished } from 'vitest';
import { within } from '../until.js';

/** Stops a container at the end of the running test. */
export async function started<Started extends { stop(): Promise<unknown> }>(
  starting: Promise<Started>,
): Promise<Started> {
  const what = await starting;
  onTestFinished(async () => {
    await what.stop();
  });
  return what;
}

/** The container in the Docker API, for operations that Testcontainers does not have: pause, kill, wait. */
export async function inEngine(container: StartedTestContainer) {
  return (await getContainerRuntimeClient()).container.getById(container.getId());
}

/** The network in the Docker API. */
export async function networkInEngine(id: string) {
  return (await getContainerRuntimeClient()).network.getById(id);
}

/** Sends a signal to the first process, waits for its end, and returns the exit code. */
export async function endBy(container: StartedTestContainer, signal: NodeJS.Signals): Promise<number> {
  const inside = await inEngine(container);
  const ended = inside.wait() as Promise<{ StatusCode: number }>;
  await inside.kill({ signal });
  return (await within(ended, `the end after ${signal}`, 20_000)).StatusCode;
}

/** The complete output. */
export async function logOf(container: StartedTestContainer): Promise<string> {
  return plain(await (await inEngine(container)).logs({ stdout: true, stderr: true }));
}

/**
 * Removes the engine's headers from the output. Each piece has 8 bytes of header: its stream, three zeros,
 * its length.
 */
export function plain(pieces: Buffer): string {
  let text = '';
  for (let at = 0; at < pieces.length; ) {
    const end = at + 8 + pieces.readUInt32BE(at + 4);
    text += pieces.toString('utf8', at + 8, end);
    at = end;
  }
  return text;
}
