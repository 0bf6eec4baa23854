package org.spreadsidecar.client;

/**
 * Three numbers that name a release.
 *
 * @param major the first
 * @param minor the second
 * @param patch the third
 */
public record VersionTriple(int major, int minor, int patch) {
  static VersionTriple of(org.spreadsidecar.v1.Version version) {
    return new VersionTriple(version.getMajor(), version.getMinor(), version.getPatch());
  }

  @Override
  public String toString() {
    return major + "." + minor + "." + patch;
  }
}
