package org.spreadsidecar.testcontainers;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import org.testcontainers.containers.ContainerLaunchException;
import org.testcontainers.containers.wait.strategy.AbstractWaitStrategy;

/**
 * Waits until {@code GET /readyz} returns 200: the sidecar and its daemon connection are ready. In contrast to
 * Testcontainers' HTTP strategy, it ends when the container ends.
 */
final class ReadyPage extends AbstractWaitStrategy {
  private static final Duration PAUSE = Duration.ofMillis(50);
  private static final Duration ANSWER = Duration.ofSeconds(1);

  private final int adminPort;

  ReadyPage(int adminPort) {
    this.adminPort = adminPort;
  }

  @Override
  protected void waitUntilReady() {
    Instant deadline = Instant.now().plus(startupTimeout);
    URI page = URI.create(SpreadSidecarContainer.adminUrl(waitStrategyTarget, adminPort, "/readyz"));
    HttpRequest request = HttpRequest.newBuilder(page).timeout(ANSWER).build();
    HttpClient http = HttpClient.newBuilder().connectTimeout(ANSWER).build();
    String said = "no response";
    try {
      while (Boolean.TRUE.equals(waitStrategyTarget.getCurrentContainerInfo().getState().getRunning())) {
        try {
          var answer = http.send(request, BodyHandlers.ofString());
          if (answer.statusCode() == 200) return;
          said = answer.body().strip();
        } catch (IOException failure) {
          // The sidecar does not listen yet, or has ended; the next attempt finds out.
          said = failure.toString();
        }
        if (Instant.now().isAfter(deadline))
          throw new ContainerLaunchException("the sidecar was not ready within " + startupTimeout.toSeconds() + " s: " + said);
        Thread.sleep(PAUSE.toMillis());
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new ContainerLaunchException("interrupted while the sidecar started", interrupted);
    }
    throw new ContainerLaunchException("the sidecar ended before it was ready");
  }
}
