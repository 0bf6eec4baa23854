package org.spreadsidecar.testcontainers;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.Network;
import org.testcontainers.containers.wait.strategy.WaitStrategy;
import org.testcontainers.containers.wait.strategy.WaitStrategyTarget;
import org.testcontainers.utility.DockerImageName;

/** A daemon in a separate container of the sidecar's image. */
final class SeparateDaemon extends GenericContainer<SeparateDaemon> {
  private final int port;
  private boolean paused;

  SeparateDaemon(DockerImageName image, int port, String name, Network network) {
    super(image);
    this.port = port;
    List<String> command =
        new ArrayList<>(List.of("daemon", "--listen", "0.0.0.0", "--port", String.valueOf(port), "--socket", "off"));
    if (name != null) command.addAll(List.of("--name", name));
    withCommand(command.toArray(String[]::new));
    withExposedPorts(port);
    withNetwork(network);
    waitingFor(new Nothing());
  }

  /** Its Spread name for programs outside of Docker. */
  String published() {
    return getMappedPort(port) + "@" + getHost();
  }

  /** Its Spread name in the network. */
  String inNetwork() {
    return port + "@" + getNetworkAliases().get(0);
  }

  /** Pauses the daemon: its connections stay open, and it does not respond. */
  void pause() {
    if (paused) return;
    getDockerClient().pauseContainerCmd(getContainerId()).exec();
    paused = true;
  }

  /** Resumes the daemon. */
  void resume() {
    if (!paused) return;
    getDockerClient().unpauseContainerCmd(getContainerId()).exec();
    paused = false;
  }

  @Override
  public void stop() {
    // A paused process cannot stop.
    if (getContainerId() != null) resume();
    super.stop();
  }

  /** No wait: the sidecar waits for its connection to the daemon. The default strategy needs a shell in the image. */
  private static final class Nothing implements WaitStrategy {
    @Override
    public void waitUntilReady(WaitStrategyTarget target) {}

    @Override
    public WaitStrategy withStartupTimeout(Duration timeout) {
      return this;
    }
  }
}
