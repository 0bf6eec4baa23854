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
   * Fails early for an image that only an engine can have: a name without a slash is not one of a registry that anybody can push
   * to. Testcontainers would try to pull the image for minutes.
   *
   * @throws ContainerLaunchException the engine does not have the image
   */
  static void checkLocal(DockerImageName image) {
    if (!image.asCanonicalNameString().contains("/")) check(image, null);
  }

  /**
   * Returns when the engine has the image, or cannot be asked.
   *
   * @param cause what starting a container of the image failed with, or null
   * @throws ContainerLaunchException the engine does not have the image
   */
  static void check(DockerImageName image, RuntimeException cause) {
    String name = image.asCanonicalNameString();
    try {
      DockerClientFactory.instance().client().inspectImageCmd(name).exec();
    } catch (NotFoundException missing) {
      throw new ContainerLaunchException(
          "the Docker engine does not have the image "
              + name
              + " and cannot pull it. Run \"npm run image\" in a clone of spread-sidecar (builds "
              + BUILT_IMAGE
              + ") or set another image",
          cause);
    } catch (DockerException | IllegalStateException unknown) {
      // The failure itself says more.
    }
  }
}
