package org.spreadsidecar.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import io.grpc.Status;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Environment variables as the defaults of a channel: the shared cases of all clients, and the behavior of a channel.
 */
@Timeout(30)
class EnvironmentTest {
  private static final JsonObject SHARED = shared();

  @TempDir Path folder;

  private static JsonObject shared() {
    try {
      return JsonParser.parseString(Files.readString(Path.of("../../test/conformance/environment.json"))).getAsJsonObject();
    } catch (IOException error) {
      throw new AssertionError(error);
    }
  }

  static Stream<Named<JsonObject>> cases() {
    return SHARED.getAsJsonArray("cases").asList().stream()
        .map(one -> Named.of(one.getAsJsonObject().get("name").getAsString(), one.getAsJsonObject()));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void sharedCase(JsonObject one) throws IOException {
    for (Map.Entry<String, JsonElement> file : SHARED.getAsJsonObject("files").entrySet())
      Files.writeString(folder.resolve(file.getKey()), file.getValue().getAsString());
    Map<String, String> environment = new HashMap<>();
    one.getAsJsonObject("environment")
        .entrySet()
        .forEach(
            entry ->
                environment.put(entry.getKey(), entry.getValue().getAsString().replace("FOLDER", folder.toString())));
    SidecarOptions given = given(one.getAsJsonObject("given"));
    if (one.has("expected")) {
      assertEquals(one.get("expected"), plain(Environment.complete(given, environment)));
      return;
    }
    JsonObject expected = one.getAsJsonObject("error");
    SpreadException error;
    if (expected.get("at").getAsString().equals("connect")) {
      error = assertThrows(SpreadException.class, () -> new SpreadSidecar(given, environment));
    } else {
      SidecarOptions options = Environment.complete(given, environment);
      error = assertThrows(SpreadException.class, () -> options.token.get());
    }
    assertTrue(error.getMessage().contains(expected.get("message").getAsString()), error.getMessage());
    assertEquals("FIELD_INVALID", error.reason());
    if (expected.has("field")) assertEquals(expected.get("field").getAsString(), error.metadata().get("field"));
  }

  private static SidecarOptions given(JsonObject json) {
    SidecarOptions options = new SidecarOptions();
    if (json.has("target")) options.target(json.get("target").getAsString());
    if (json.has("token")) options.token(json.get("token").getAsString());
    return options;
  }

  /** The options that the shared cases compare. */
  private static JsonObject plain(SidecarOptions options) {
    JsonObject json = new JsonObject();
    json.addProperty("target", options.target == null ? SidecarOptions.DEFAULT_TARGET : options.target);
    json.add("tls", options.tls == null ? JsonNull.INSTANCE : plain(options.tls));
    json.add("token", text(options.token == null ? null : options.token.get()));
    json.addProperty("insecure", Boolean.TRUE.equals(options.insecure));
    return json;
  }

  private static JsonObject plain(TlsOptions tls) {
    JsonObject json = new JsonObject();
    json.add("ca", pem(tls.ca()));
    json.add("cert", pem(tls.certificate()));
    json.add("key", pem(tls.key()));
    json.add("serverName", text(tls.serverName()));
    return json;
  }

  private static JsonElement pem(byte[] pem) {
    return text(pem == null ? null : new String(pem, StandardCharsets.UTF_8));
  }

  private static JsonElement text(String text) {
    return text == null ? JsonNull.INSTANCE : new JsonPrimitive(text);
  }

  @Test
  void optionsOfTheProgramWin() {
    TlsOptions tls = new TlsOptions(null, null, null);
    SidecarOptions given = new SidecarOptions().tls(tls).insecure(false);
    Map<String, String> environment = Map.of("SPREAD_SIDECAR_TLS", "maybe", "SPREAD_SIDECAR_INSECURE", "true");
    SidecarOptions options = Environment.complete(given, environment);
    assertEquals(tls, options.tls);
    assertEquals(false, options.insecure);
  }

  @Test
  void mistakesAreErrorsOfTheChannel() throws IOException {
    String file = Files.writeString(folder.resolve("key.pem"), "the key").toString();
    Map<String, Map<String, String>> environments =
        Map.of(
            "tls", Map.of("SPREAD_SIDECAR_TLS_KEY", file),
            "token", Map.of("SPREAD_SIDECAR_TARGET", "sidecar.example:4813", "SPREAD_SIDECAR_TOKEN_FILE", file));
    environments.forEach(
        (field, environment) -> {
          SpreadException error =
              assertThrows(SpreadException.class, () -> new SpreadSidecar(new SidecarOptions(), environment), field);
          assertEquals("FIELD_INVALID", error.reason());
          assertEquals(field, error.metadata().get("field"));
        });
  }

  @Test
  void theTokenFileIsReadBeforeEachCall() throws IOException {
    Path file = folder.resolve("token");
    Map<String, String> environment =
        Map.of("SPREAD_SIDECAR_TARGET", "127.0.0.1:1", "SPREAD_SIDECAR_TOKEN_FILE", file.toString());
    SidecarOptions options = Environment.complete(new SidecarOptions(), environment);
    assertTrue(options.tokenMayChange);
    for (String token : List.of("one", "two")) {
      Files.writeString(file, token + "\n");
      assertEquals(token, options.token.get());
    }
    Files.delete(file);
    try (SpreadSidecar sidecar = new SpreadSidecar(new SidecarOptions(), environment)) {
      SpreadException error = assertThrows(SpreadException.class, sidecar::version);
      assertEquals(Status.Code.UNAUTHENTICATED, error.status());
      assertFalse(error.isRetryable());
      assertTrue(error.getMessage().contains("SPREAD_SIDECAR_TOKEN_FILE"), error.getMessage());
      assertTrue(error.getMessage().contains(file.toString()), error.getMessage());
    }
  }
}
