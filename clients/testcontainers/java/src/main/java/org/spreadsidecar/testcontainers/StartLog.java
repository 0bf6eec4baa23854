package org.spreadsidecar.testcontainers;

import java.util.function.Consumer;
import org.testcontainers.containers.output.OutputFrame;

/** What a container printed until it was ready, for the message when it never is. Nothing waits for it. */
final class StartLog implements Consumer<OutputFrame> {
  private static final int ENOUGH = 64 * 1024;

  private final StringBuilder text = new StringBuilder();
  private boolean kept = true;

  @Override
  public synchronized void accept(OutputFrame frame) {
    if (kept && text.length() < ENOUGH) text.append(frame.getUtf8String());
  }

  /** From now on nothing is kept. */
  synchronized void forget() {
    kept = false;
    text.setLength(0);
  }

  /** From now on it is kept, from the beginning. */
  synchronized void begin() {
    kept = true;
    text.setLength(0);
  }

  synchronized String text() {
    return text.toString().strip();
  }
}
