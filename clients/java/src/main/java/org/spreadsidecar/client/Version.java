package org.spreadsidecar.client;

/**
 * Three numbers that name a release.
 *
 * @param major the first
 * @param minor the second
 * @param patch the third
 */
public record Version(int major, int minor, int patch) {
  static Version of(org.spreadsidecar.v1.Version version) {
    return new Version(version.getMajor(), version.getMinor(), version.getPatch());
  }

  @Override
  public String toString() {
    return major + "." + minor + "." + patch;
  }
}
