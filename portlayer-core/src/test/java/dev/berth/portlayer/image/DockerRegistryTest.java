package dev.berth.portlayer.image;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.berth.portlayer.image.content.Digest;
import dev.berth.portlayer.image.registry.RegistryConfiguration;
import dev.berth.portlayer.image.testing.DiskListing;
import dev.berth.portlayer.image.testing.TarBuilder;
import dev.berth.portlayer.image.testing.TestImage;
import dev.berth.portlayer.image.testing.TestImage.Compression;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageRequest;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against the registry that Docker's is made of, from the package docker-registry. */
class DockerRegistryTest {
  private static final Path BINARY = Path.of("/usr/bin/docker-registry");

  @TempDir Path directory;
  private final HttpClient client = HttpClient.newHttpClient();
  private String host = "";
  private Process process;

  @BeforeEach
  void start() throws IOException {
    Assumptions.assumeTrue(
        Files.isExecutable(BINARY), "skipped: " + BINARY + " is missing (package docker-registry)");
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      host = "127.0.0.1:" + free.getLocalPort();
    }
    Path configuration = directory.resolve("registry.yml");
    Files.writeString(
        configuration,
        "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: %s\nhttp:\n  addr: %s\n"
            .formatted(directory.resolve("content"), host));
    process =
        new ProcessBuilder(BINARY.toString(), "serve", configuration.toString())
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("registry.log").toFile())
            .start();
    Awaitility.await().atMost(Duration.ofSeconds(30)).until(this::answers);
  }

  private boolean answers() throws InterruptedException {
    try {
      return send(HttpRequest.newBuilder(uri("/v2/")).build()).statusCode() == 200;
    } catch (IOException e) {
      return false;
    }
  }

  @AfterEach
  void stop() throws InterruptedException {
    client.shutdownNow();
    if (process != null) {
      process.destroyForcibly().waitFor(30, TimeUnit.SECONDS);
    }
  }

  private URI uri(String path) {
    return URI.create("http://" + host + path);
  }

  private HttpResponse<String> send(HttpRequest request) throws IOException, InterruptedException {
    return client.send(request, BodyHandlers.ofString());
  }

  private void push(String repository, String tag, TestImage image) throws Exception {
    for (Map.Entry<Digest, byte[]> blob : image.blobs().entrySet()) {
      HttpResponse<String> begun =
          send(
              HttpRequest.newBuilder(uri("/v2/" + repository + "/blobs/uploads/"))
                  .POST(BodyPublishers.noBody())
                  .build());
      String location = begun.headers().firstValue("Location").orElseThrow();
      HttpResponse<String> put =
          send(
              HttpRequest.newBuilder(URI.create(location + "&digest=" + blob.getKey()))
                  .header("Content-Type", "application/octet-stream")
                  .PUT(BodyPublishers.ofByteArray(blob.getValue()))
                  .build());
      assertEquals(201, put.statusCode(), put.body());
    }
    HttpResponse<String> manifest =
        send(
            HttpRequest.newBuilder(uri("/v2/" + repository + "/manifests/" + tag))
                .header("Content-Type", image.mediaType())
                .PUT(BodyPublishers.ofByteArray(image.manifest()))
                .build());
    assertEquals(201, manifest.statusCode(), manifest.body());
  }

  @Test
  @DisplayName("an image pushed to Docker's registry is pulled by tag and by digest")
  void pull() throws Exception {
    TestImage image =
        new TestImage()
            .docker()
            .layer(new TarBuilder().file("etc/name", "below").build(), Compression.GZIP)
            .layer(new TarBuilder().file("etc/name", "above").build(), Compression.GZIP);
    push("team/app", "1.2", image);
    try (ImageStore store =
        ImageStore.open(
            ImageStoreConfiguration.defaults(directory.resolve("store"))
                .withRegistries(List.of(RegistryConfiguration.plain(host))))) {
      String byTag = host + "/team/app:1.2";
      Image pulled = store.pull(new ImageRequest(byTag, List.of(), Duration.ofSeconds(60)));
      assertEquals("above", DiskListing.cat(Path.of(pulled.disk().location()), "etc/name"));
      String byDigest = host + "/team/app@" + image.digest();
      Image again = store.pull(new ImageRequest(byDigest, List.of(), Duration.ofSeconds(60)));
      assertEquals(pulled.disk(), again.disk());
      assertEquals(List.of(byDigest), again.repositoryDigests());
    }
  }
}
