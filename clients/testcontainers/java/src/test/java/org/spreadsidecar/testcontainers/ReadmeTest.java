package org.spreadsidecar.testcontainers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The README's code is code that runs: regions of the samples. */
class ReadmeTest {
  private static final Pattern BLOCK = Pattern.compile("^```java\\n(.*?)^```", Pattern.MULTILINE | Pattern.DOTALL);
  private static final Pattern REGION =
      Pattern.compile("^ *// region \\w+\\n(.*?)^ *// endregion", Pattern.MULTILINE | Pattern.DOTALL);

  @Test
  void everyBlockIsARegionOfASample() throws IOException {
    Path tests = Path.of("src/test/java/org/spreadsidecar/testcontainers");
    String sources =
        Files.readString(tests.resolve("SampleTest.java")) + Files.readString(tests.resolve("SampleFailuresTest.java"));
    var regions =
        REGION.matcher(sources).results().map(region -> region.group(1).stripTrailing().stripIndent()).toList();
    String readme = Files.readString(Path.of("README.md"));
    var blocks = BLOCK.matcher(readme).results().map(block -> block.group(1).stripTrailing()).toList();
    assertEquals(3, blocks.size());
    for (String block : blocks) assertTrue(regions.contains(block), block);
  }
}
