/** The cause of a requested stop, as the reason of its signal. */
export class Interruption extends Error {
  override readonly name = 'Interruption';

  constructor(
    readonly by: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'output closed',
    /** The exit code of a command that is not done when it is stopped. */
    readonly exitCode: number,
  ) {
    super(by === 'output closed' ? 'the reader of the output has closed it' : `stopped by ${by}`);
  }
}

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * Requests a stop of a command at the first signal, and ends the process at the second.
 *
 * @returns a function that removes the handlers
 */
export function onSignals(stop: (interruption: Interruption) => void): () => void {
  let wasRequested = false;
  const handlers = Object.entries(SIGNALS).map(([name, exitCode]) => {
    const signal = name as keyof typeof SIGNALS;
    const handler = () => {
      if (wasRequested) process.exit(exitCode);
      wasRequested = true;
      stop(new Interruption(signal, exitCode));
    };
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  return () => {
    for (const remove of handlers) remove();
  };
}

/** Resolves when the command must stop. */
export function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
