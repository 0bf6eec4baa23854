package org.spreadsidecar.testcontainers;

import java.util.function.Consumer;
import org.testcontainers.containers.output.OutputFrame;

/** The output of a container until it is ready, for error messages. */
final class StartLog implements Consumer<OutputFrame> {
  private static final int ENOUGH = 64 * 1024;

  private final StringBuilder text = new StringBuilder();
  private boolean kept = true;

  @Override
  public synchronized void accept(OutputFrame frame) {
    if (kept && text.length() < ENOUGH) text.append(frame.getUtf8String());
  }

  /** Discards the output and all further output. */
  synchronized void forget() {
    kept = false;
    text.setLength(0);
  }

  /** Starts to collect output. */
  synchronized void begin() {
    kept = true;
    text.setLength(0);
  }

  synchronized String text() {
    return text.toString().strip();
  }
}
