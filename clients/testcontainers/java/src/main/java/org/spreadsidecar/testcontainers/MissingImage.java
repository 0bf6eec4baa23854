package org.spreadsidecar.testcontainers;

import com.github.dockerjava.api.exception.DockerException;
import com.github.dockerjava.api.exception.NotFoundException;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.ContainerLaunchException;
import org.testcontainers.utility.DockerImageName;

/** The image of containers, and the message when the engine does not have it. */
final class MissingImage {
  private static final String BUILT_IMAGE = "spread-sidecar:test";

  private MissingImage() {}

  static String defaultImage() {
    String named = System.getenv("SPREAD_SIDECAR_IMAGE");
    return named == null || named.isEmpty() ? BUILT_IMAGE : named;
  }

  /**
   * Fails early for an image that only the local engine can have: a name without a slash is not from a public
   * registry. Testcontainers would try to pull it for minutes.
   *
   * @throws ContainerLaunchException if the engine does not have the image
   */
  static void checkLocal(DockerImageName image) {
    if (!image.asCanonicalNameString().contains("/")) check(image, null);
  }

  /**
   * Returns if the engine has the image or does not respond.
   *
   * @param cause the error of the container's start, or null
   * @throws ContainerLaunchException if the engine does not have the image
   */
  static void check(DockerImageName image, RuntimeException cause) {
    String name = image.asCanonicalNameString();
    try {
      DockerClientFactory.instance().client().inspectImageCmd(name).exec();
    } catch (NotFoundException missing) {
      throw new ContainerLaunchException(
          "the Docker engine cannot find or pull the image "
              + name
              + "; build "
              + BUILT_IMAGE
              + " with \"npm run image\" in a clone of spread-sidecar, or use another image",
          cause);
    } catch (DockerException | IllegalStateException unknown) {
      // The original error has more information.
    }
  }
}
