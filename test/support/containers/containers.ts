import { getContainerRuntimeClient, type StartedTestContainer } from 'testcontainers';
import { onTestFinished } from 'vitest';
import { within } from '../until.js';

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

/** Everything that it has printed until now. */
export async function logOf(container: StartedTestContainer): Promise<string> {
  return plain(await (await inEngine(container)).logs({ stdout: true, stderr: true }));
}

/** The engine sends what was printed in pieces, each behind 8 bytes: its stream, three zeros, its length. */
export function plain(pieces: Buffer): string {
  let text = '';
  for (let at = 0; at < pieces.length; ) {
    const end = at + 8 + pieces.readUInt32BE(at + 4);
    text += pieces.toString('utf8', at + 8, end);
    at = end;
  }
  return text;
}
