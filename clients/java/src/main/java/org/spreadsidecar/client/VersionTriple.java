package org.spreadsidecar.client;

/**
 * The version of a release.
 *
 * @param major major version
 * @param minor minor version
 * @param patch patch version
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
