package dev.berth.portlayer.image;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.image.testing.TarBuilder;
import dev.berth.portlayer.image.testing.TestImage;
import dev.berth.portlayer.image.testing.TestImage.Compression;
import dev.berth.portlayer.image.testing.TestRegistry;
import dev.berth.portlayer.storage.ImageRequest;
import dev.berth.portlayer.storage.RegistryCredentials;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How a registry is convinced, and that no secret goes elsewhere. */
class RegistryAuthenticationTest {
  private static final String SECRET = "hunter2-secret";
  private static final String BASIC =
      "Basic " + Base64.getEncoder().encodeToString(("ann:" + SECRET).getBytes(UTF_8));

  @TempDir Path directory;
  private final TestRegistry registry = new TestRegistry();
  private final AtomicInteger tokens = new AtomicInteger();

  @AfterEach
  void close() {
    registry.close();
  }

  private ImageStore store() {
    return ImageStore.open(configuration());
  }

  private ImageStoreConfiguration configuration() {
    return ImageStoreConfiguration.defaults(directory.resolve("store"))
        .withRegistries(List.of(registry.configuration()));
  }

  private RegistryCredentials ann() {
    return new RegistryCredentials(registry.host(), "ann", SECRET, false);
  }

  private static ImageRequest request(String reference, RegistryCredentials... credentials) {
    return new ImageRequest(reference, List.of(credentials), Duration.ofSeconds(30));
  }

  private static TestImage image() {
    return new TestImage().layer(new TarBuilder().file("a", "b").build(), Compression.GZIP);
  }

  private void demandBasic() {
    registry.before(
        exchange -> {
          if (BASIC.equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
            return false;
          }
          exchange.getResponseHeaders().set("WWW-Authenticate", "Basic realm=\"here\"");
          TestRegistry.error(exchange, 401, "UNAUTHORIZED");
          return true;
        });
  }

  /** Hands out numbered tokens, each good for that many requests. */
  private void demandToken(String grantedTo, int requestsPerToken) {
    AtomicInteger used = new AtomicInteger();
    registry.before(
        exchange -> {
          if (exchange.getRequestURI().getPath().equals("/token")) {
            grant(exchange, grantedTo);
            return true;
          }
          String current = "Bearer token-" + tokens.get();
          boolean good = current.equals(exchange.getRequestHeaders().getFirst("Authorization"));
          if (good && used.getAndIncrement() % (requestsPerToken + 1) < requestsPerToken) {
            return false;
          }
          exchange
              .getResponseHeaders()
              .set(
                  "WWW-Authenticate",
                  "Bearer realm=\"%s/token\",service=\"my, registry\",scope=\"repository:x:pull\""
                      .formatted(registry.uri()));
          TestRegistry.error(exchange, 401, "UNAUTHORIZED");
          return true;
        });
  }

  private void grant(HttpExchange exchange, String grantedTo) throws IOException {
    String form = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
    String authorization = exchange.getRequestHeaders().getFirst("Authorization");
    String asked = exchange.getRequestURI().getRawQuery() + " " + form + " " + authorization;
    if (!asked.contains(grantedTo) || !asked.contains("scope=repository%3Ateam%2Fapp%3Apull")) {
      TestRegistry.error(exchange, 401, "DENIED");
      return;
    }
    String json =
        "{\"access_token\":\"token-%d\",\"expires_in\":300}".formatted(tokens.incrementAndGet());
    TestRegistry.send(exchange, 200, "application/json", json.getBytes(UTF_8), 0);
  }

  @Test
  @DisplayName("basic credentials of the request, the longest matching scope first")
  void basic() {
    demandBasic();
    String reference = registry.push("team/app", "1", image());
    RegistryCredentials wide = new RegistryCredentials(registry.host(), "bob", "wrong", false);
    RegistryCredentials narrow =
        new RegistryCredentials("https://" + registry.host() + "/team", "ann", SECRET, false);
    RegistryCredentials other = new RegistryCredentials("example.com", "eve", "nothing", false);
    try (ImageStore store = store()) {
      store.pull(request(reference, other, wide, narrow));
    }
    assertTrue(registry.authorizations().stream().allMatch(BASIC::equals));
  }

  @Test
  @DisplayName("credentials that fail are followed by the next ones")
  void nextCredentials() {
    demandBasic();
    String reference = registry.push("team/app", "1", image());
    RegistryCredentials wrong = new RegistryCredentials(registry.host(), "bob", "wrong", false);
    try (ImageStore store = store()) {
      store.pull(request(reference, wrong, ann()));
    }
  }

  @Test
  @DisplayName("refused credentials are UNAUTHENTICATED, and the secret is in no message")
  void refused() {
    demandBasic();
    String reference = registry.push("team/app", "1", image());
    RegistryCredentials wrong =
        new RegistryCredentials(registry.host(), "bob", "wrong-password", false);
    try (ImageStore store = store()) {
      PortLayerException bad =
          assertThrows(PortLayerException.class, () -> store.pull(request(reference, wrong)));
      assertEquals(Code.UNAUTHENTICATED, bad.code());
      assertTrue(
          String.valueOf(bad.getMessage()).contains("refuses the credentials of user \"bob\""),
          bad.getMessage());
      StringWriter trace = new StringWriter();
      bad.printStackTrace(new PrintWriter(trace));
      assertFalse(trace.toString().contains("wrong-password"), trace.toString());
      PortLayerException none =
          assertThrows(PortLayerException.class, () -> store.pull(request(reference)));
      assertEquals(Code.UNAUTHENTICATED, none.code());
      assertTrue(
          String.valueOf(none.getMessage()).contains("no basic auth credentials"),
          none.getMessage());
    }
  }

  @Test
  @DisplayName("anonymous tokens are fetched once and kept for the next pull")
  void anonymousToken() {
    demandToken("service=my", 1000);
    String reference = registry.push("team/app", "1", image());
    try (ImageStore store = store()) {
      store.pull(request(reference));
      assertEquals(1, tokens.get());
      registry.forgetRequests();
      store.pull(request(reference));
      assertEquals(List.of("HEAD /v2/team/app/manifests/1"), registry.requests());
    }
  }

  @Test
  @DisplayName("a token that ends in the middle of a pull is replaced")
  void expiringToken() {
    demandToken(BASIC, 1);
    String reference = registry.push("team/app", "1", image());
    try (ImageStore store = store()) {
      store.pull(request(reference, ann()));
    }
    assertTrue(tokens.get() >= 3, "tokens: " + tokens);
  }

  @Test
  @DisplayName("an identity token is exchanged by POST")
  void identityToken() {
    demandToken("grant_type=refresh_token&client_id=berth&refresh_token=" + SECRET, 1000);
    String reference = registry.push("team/app", "1", image());
    try (ImageStore store = store()) {
      store.pull(request(reference, new RegistryCredentials(registry.host(), "", SECRET, true)));
    }
    assertEquals(1, registry.count("POST /token"));
    assertEquals(0, registry.count(SECRET));
  }

  @Test
  @DisplayName("no Authorization follows a redirect to another host")
  void redirect() {
    demandBasic();
    try (TestRegistry elsewhere = new TestRegistry()) {
      TestImage image = image();
      elsewhere.push("team/app", "1", image);
      registry.before(
          exchange -> {
            String path = exchange.getRequestURI().getPath();
            if (!path.contains("/blobs/")) {
              return false;
            }
            exchange.getResponseHeaders().set("Location", elsewhere.uri() + path);
            exchange.sendResponseHeaders(302, -1);
            return true;
          });
      String reference = registry.push("team/app", "1", image);
      try (ImageStore store = store()) {
        store.pull(request(reference, ann()));
      }
      assertEquals(List.of(), elsewhere.authorizations());
      assertEquals(2, elsewhere.requests().size());
    }
  }

  @Test
  @DisplayName(
      "a Docker configuration file's auths are used, and a broken file is named, not quoted")
  void dockerConfiguration() throws Exception {
    demandBasic();
    String reference = registry.push("team/app", "1", image());
    Path file = directory.resolve("config.json");
    String auth = Base64.getEncoder().encodeToString(("ann:" + SECRET).getBytes(UTF_8));
    Files.writeString(
        file, "{\"auths\":{\"%s\":{\"auth\":\"%s\"}}}".formatted(registry.host(), auth));
    try (ImageStore store = ImageStore.open(configuration().withDockerConfiguration(file))) {
      store.pull(request(reference));
      for (String end : List.of("", "}}}")) { // not JSON, and JSON whose auth is none
        Files.writeString(file, "{\"auths\":{\"x\":{\"auth\":\"" + SECRET + "\"" + end);
        PortLayerException broken =
            assertThrows(PortLayerException.class, () -> store.pull(request(reference)));
        assertEquals(Code.FAILED_PRECONDITION, broken.code());
        assertTrue(String.valueOf(broken.getMessage()).contains(file.toString()));
        StringWriter trace = new StringWriter();
        broken.printStackTrace(new PrintWriter(trace));
        assertFalse(trace.toString().contains(SECRET), trace.toString());
      }
    }
  }

  @Test
  @DisplayName("a credential helper that isn't there is named")
  void missingHelper() throws Exception {
    Path file = directory.resolve("config.json");
    Files.writeString(
        file, "{\"credHelpers\":{\"%s\":\"no-such-thing\"}}".formatted(registry.host()));
    try (ImageStore store = ImageStore.open(configuration().withDockerConfiguration(file))) {
      PortLayerException missing =
          assertThrows(
              PortLayerException.class,
              () -> store.pull(request(registry.push("team/app", "1", image()))));
      assertTrue(
          String.valueOf(missing.getMessage()).contains("docker-credential-no-such-thing"),
          missing.getMessage());
    }
  }
}
