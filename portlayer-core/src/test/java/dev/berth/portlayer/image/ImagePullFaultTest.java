package dev.berth.portlayer.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.image.content.Digest;
import dev.berth.portlayer.image.registry.RegistryConfiguration;
import dev.berth.portlayer.image.testing.DiskListing;
import dev.berth.portlayer.image.testing.TarBuilder;
import dev.berth.portlayer.image.testing.TestImage;
import dev.berth.portlayer.image.testing.TestImage.Compression;
import dev.berth.portlayer.image.testing.TestRegistry;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageRequest;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a registry does wrong, and what the store makes of it. */
class ImagePullFaultTest {
  @TempDir Path directory;
  private final TestRegistry registry = new TestRegistry();
  private Optional<ImageStore> opened = Optional.empty();

  private ImageStoreConfiguration configuration() {
    return ImageStoreConfiguration.defaults(directory.resolve("store"))
        .withRegistries(List.of(registry.configuration()))
        .withStallTimeout(Duration.ofSeconds(1));
  }

  private ImageStore store() {
    return store(configuration());
  }

  private ImageStore store(ImageStoreConfiguration configuration) {
    ImageStore store = opened.orElseGet(() -> ImageStore.open(configuration));
    opened = Optional.of(store);
    return store;
  }

  @AfterEach
  void close() {
    opened.ifPresent(ImageStore::close);
    registry.close();
  }

  private static ImageRequest request(String reference) {
    return new ImageRequest(reference, List.of(), Duration.ofSeconds(60));
  }

  private PortLayerException failure(Code code, String reference) {
    PortLayerException failure =
        assertThrows(PortLayerException.class, () -> store().pull(request(reference)));
    assertEquals(code, failure.code(), failure.getMessage());
    return failure;
  }

  private static void assertSays(String part, PortLayerException failure) {
    assertTrue(String.valueOf(failure.getMessage()).contains(part), failure.getMessage());
  }

  private static byte[] noise(int size) {
    byte[] noise = new byte[size];
    new Random(7).nextBytes(noise);
    return noise;
  }

  private static TestImage big() {
    return new TestImage()
        .layer(new TarBuilder().file("big", noise(900_000)).build(), Compression.GZIP);
  }

  private static boolean isBlob(String path, Digest digest) {
    return path.endsWith("/blobs/" + digest);
  }

  @Test
  @DisplayName("a connection cut in the middle of a layer is continued where it broke")
  void resumes() throws Exception {
    TestImage image = big();
    Digest layer = image.layers().getFirst();
    AtomicInteger cuts = new AtomicInteger();
    registry.before(
        exchange -> {
          if (isBlob(exchange.getRequestURI().getPath(), layer) && cuts.getAndIncrement() == 0) {
            TestRegistry.sendCut(exchange, registry.blob(layer), 300_000);
          }
          return false;
        });
    Image pulled = store().pull(request(registry.push("app", "1", image)));
    assertTrue(pulled.size() > 800_000);
    List<String> ranges = registry.requests().stream().filter(r -> r.contains("bytes=")).toList();
    assertEquals(1, ranges.size(), ranges.toString());
    assertTrue(!ranges.getFirst().contains("bytes=0-"), ranges.toString());
  }

  @Test
  @DisplayName("a download that another process left is continued after its bytes were hashed")
  void resumesAfterRestart() throws Exception {
    TestImage image = big();
    Digest layer = image.layers().getFirst();
    String reference = registry.push("app", "1", image);
    store().close();
    Path partial = directory.resolve("store/partial/" + layer.hex());
    Files.write(partial, Arrays.copyOf(registry.blob(layer), 200_000));
    Files.write(directory.resolve("store/work/9.squashfs"), noise(10));
    Files.write(directory.resolve("store/disks/" + image.id().hex() + ".squashfs"), noise(10));
    opened = Optional.empty();
    store();
    assertTrue(!Files.exists(directory.resolve("store/work/9.squashfs")));
    assertTrue(store().list().isEmpty());
    store().pull(request(reference));
    assertEquals(1, registry.count("bytes=200000-"));
  }

  @Test
  @DisplayName("wrong bytes left by an earlier download are fetched anew")
  void restartsWrongPartial() throws Exception {
    TestImage image = big();
    Digest layer = image.layers().getFirst();
    String reference = registry.push("app", "1", image);
    store();
    Files.write(directory.resolve("store/partial/" + layer.hex()), noise(200_000));
    store().pull(request(reference));
    assertEquals(2, registry.count("/blobs/" + layer));
  }

  @Test
  @DisplayName("a layer whose bytes don't match its digest is refused and leaves nothing")
  void wrongBytes() throws Exception {
    TestImage image = big();
    Digest layer = image.layers().getFirst();
    String reference = registry.push("app", "1", image);
    byte[] wrong = registry.blob(layer).clone();
    wrong[1000] ^= 1;
    registry.blob(layer, wrong);
    PortLayerException failure = failure(Code.CORRUPT, reference);
    assertSays("failed to copy layer " + layer + ": unexpected commit digest", failure);
    assertNothingStored();
  }

  private void assertNothingStored() throws Exception {
    for (String folder : List.of("partial", "work", "disks", "images")) {
      try (Stream<Path> files = Files.list(directory.resolve("store/" + folder))) {
        assertEquals(List.of(), files.toList());
      }
    }
  }

  @Test
  @DisplayName("a layer that isn't what the configuration's diff_ids say is refused by its digest")
  void wrongDiffId() throws Exception {
    TestImage image =
        new TestImage()
            .layer(
                TestImage.compress(new TarBuilder().file("a", "b").build(), Compression.GZIP),
                Compression.GZIP,
                Digest.of(noise(3)));
    PortLayerException failure = failure(Code.CORRUPT, registry.push("app", "1", image));
    assertSays("failed to extract layer " + image.layers().getFirst(), failure);
    assertNothingStored();
  }

  @Test
  @DisplayName("damaged gzip, a truncated archive and a path out of the root each say so")
  void damagedLayers() {
    byte[] tar = new TarBuilder().file("a", noise(5000)).build();
    byte[] gzip = TestImage.compress(tar, Compression.GZIP);
    assertDamaged(Arrays.copyOf(gzip, 3000), Digest.of(tar), "compressed data is damaged");
    byte[] zstd = TestImage.compress(tar, Compression.ZSTD);
    assertDamaged(Arrays.copyOf(zstd, 3000), Digest.of(tar), "compressed data is damaged");
    byte[] part = Arrays.copyOf(tar, 2048);
    assertDamaged(part, Digest.of(part), "ends within an entry");
    byte[] out = new TarBuilder().file("../../etc/passwd", "x").build();
    assertDamaged(out, Digest.of(out), "leads out of the image's root");
  }

  private void assertDamaged(byte[] blob, Digest diffId, String says) {
    TestImage image = new TestImage().layer(blob, Compression.NONE, diffId);
    PortLayerException failure = failure(Code.CORRUPT, registry.push("app", "1", image));
    assertSays(says, failure);
    assertSays(image.layers().getFirst().toString(), failure);
  }

  @Test
  @DisplayName("an overloaded registry is asked again after the time it names")
  void backsOff() {
    AtomicInteger refusals = new AtomicInteger();
    registry.before(
        exchange -> {
          if (refusals.getAndIncrement() < 2) {
            exchange.getResponseHeaders().set("Retry-After", refusals.get() == 1 ? "0" : "1");
            TestRegistry.error(exchange, refusals.get() == 1 ? 429 : 503, "TOOMANYREQUESTS");
            return true;
          }
          return false;
        });
    long start = System.nanoTime();
    store().pull(request(registry.push("app", "1", big())));
    assertTrue(Duration.ofNanos(System.nanoTime() - start).compareTo(Duration.ofSeconds(1)) >= 0);
  }

  @Test
  @DisplayName("a wait beyond the deadline is not begun")
  void givesUp() {
    registry.before(
        exchange -> {
          exchange.getResponseHeaders().set("Retry-After", "3600");
          TestRegistry.error(exchange, 429, "TOOMANYREQUESTS");
          return true;
        });
    assertSays("asks to wait 3600 s", failure(Code.UNAVAILABLE, registry.host() + "/app:1"));
  }

  @Test
  @DisplayName("a silent registry fails with UNAVAILABLE, or continues when it speaks again")
  void stalls() {
    TestImage image = big();
    Digest layer = image.layers().getFirst();
    AtomicInteger stalls = new AtomicInteger();
    registry.before(
        exchange -> {
          if (isBlob(exchange.getRequestURI().getPath(), layer) && stalls.getAndIncrement() == 0) {
            exchange.sendResponseHeaders(200, registry.blob(layer).length);
            exchange.getResponseBody().write(registry.blob(layer), 0, 1000);
            exchange.getResponseBody().flush();
            awaitNextRequest(stalls);
            return true;
          }
          return false;
        });
    store().pull(request(registry.push("app", "1", image)));
    assertEquals(2, registry.count("/blobs/" + layer));
  }

  private static void awaitNextRequest(AtomicInteger requests) {
    org.awaitility.Awaitility.await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> requests.get() > 1);
  }

  @Test
  @DisplayName("missing tags, repositories, platforms and hosts are told apart")
  void notFound() {
    registry.push("app", "1", big());
    String missing = registry.host() + "/app:2";
    assertEquals(
        "failed to resolve reference \"" + missing + "\": not found",
        failure(Code.NOT_FOUND, missing).getMessage());
    String arm = registry.push("arm", "1", big().platform("linux", "arm64"));
    assertSays("no match for platform linux/amd64 in manifest", failure(Code.NOT_FOUND, arm));
    assertSays("it offers linux/arm64", failure(Code.NOT_FOUND, arm));
    assertSays("connection refused", failure(Code.UNAVAILABLE, "localhost:1/app:1"));
    assertSays("invalid reference format", failure(Code.INVALID_ARGUMENT, "Not/Lower:x:y"));
  }

  @Test
  @DisplayName("a registry outside the allow-list is never asked")
  void allowList() {
    store(configuration().withAllowedRegistries(List.of(registry.host() + "/team")));
    String allowed = registry.push("team/app", "1", big());
    String refused = registry.push("teams/app", "1", big());
    store().pull(request(allowed));
    registry.forgetRequests();
    assertSays("not on the allow-list", failure(Code.PERMISSION_DENIED, refused));
    assertEquals(List.of(), registry.requests());
  }

  @Test
  @DisplayName("what neither the registry nor its mirror gives is told with what each said")
  void nowhere() {
    RegistryConfiguration mirrored =
        new RegistryConfiguration("127.0.0.1:1", List.of(registry.uri()), true, Optional.empty());
    store(configuration().withRegistries(List.of(mirrored)));
    PortLayerException refused = failure(Code.NOT_FOUND, "127.0.0.1:1/app:1");
    assertSays(
        "mirror %s: not found; cannot reach http://127.0.0.1:1".formatted(registry.host()),
        refused);
  }

  @Test
  @DisplayName("mirrors are asked in order, before the registry, which serves what they lack")
  void mirrors() {
    try (TestRegistry mirror = new TestRegistry()) {
      RegistryConfiguration mirrored =
          new RegistryConfiguration(
              registry.host(),
              List.of(URI.create("http://127.0.0.1:1"), URI.create(mirror.uri() + "/v2/proxy")),
              true,
              Optional.empty());
      store(configuration().withRegistries(List.of(mirrored)));
      TestImage image = big();
      mirror.push("proxy/app", "1", image);
      Image pulled = store().pull(request(registry.host() + "/app:1"));
      assertEquals(List.of(registry.host() + "/app:1"), pulled.references());
      assertEquals(List.of(), registry.requests());
      store().pull(request(registry.push("other", "1", big())));
      assertEquals(1, registry.count("HEAD /v2/other/manifests/1"));
    }
  }

  @Test
  @DisplayName("plain HTTP is spoken only where configured")
  void plainHttp() {
    store(configuration().withRegistries(List.of()));
    assertSays("https://", failure(Code.UNAVAILABLE, registry.push("app", "1", big())));
    assertEquals(List.of(), registry.requests());
  }

  @Test
  @DisplayName("an index leads to linux/amd64, nested indexes too; attestations are passed over")
  void indexes() throws Exception {
    TestImage image = big();
    TestImage arm = big().platform("linux", "arm64");
    registry.push("app", "amd64", image);
    registry.push("app", "arm64", arm);
    String type = "application/vnd.oci.image.index.v1+json";
    byte[] inner = index(entry(image, "\"os\":\"linux\",\"architecture\":\"amd64\""));
    Digest innerDigest = registry.manifest("app", "inner", type, inner);
    byte[] outer =
        index(
            entry(arm, "\"os\":\"unknown\",\"architecture\":\"unknown\""),
            entry(arm, "\"os\":\"linux\",\"architecture\":\"arm64\""),
            entry(image, "\"os\":\"linux\",\"architecture\":\"amd64\",\"variant\":\"v4\""),
            TestImage.descriptor(type, innerDigest, inner.length));
    Digest digest = registry.manifest("app", "multi", type, outer);
    Image pulled = store().pull(request(registry.host() + "/app:multi"));
    assertEquals(image.id().toString(), pulled.id());
    assertEquals(List.of(registry.host() + "/app@" + digest), pulled.repositoryDigests());
    assertTrue(DiskListing.of(Path.of(pulled.disk().location())).contains("big"));
  }

  private static byte[] index(String... entries) {
    return "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[%s]}"
        .formatted(String.join(",", entries))
        .getBytes(java.nio.charset.StandardCharsets.UTF_8);
  }

  private static String entry(TestImage image, String platform) {
    String bare = TestImage.descriptor(image.mediaType(), image.digest(), image.manifest().length);
    return bare.substring(0, bare.length() - 1) + ",\"platform\":{" + platform + "}}";
  }

  @Test
  @DisplayName("a Docker schema 2 image with an uncompressed layer in gzip's name works")
  void dockerImage() {
    TestImage image =
        new TestImage().docker().layer(new TarBuilder().file("a", "b").build(), Compression.NONE);
    assertEquals(
        image.id().toString(), store().pull(request(registry.push("app", "1", image))).id());
  }

  @Test
  @DisplayName(
      "a blob redirected to another host is fetched there, wrong digests notwithstanding refused")
  void redirects() {
    try (TestRegistry elsewhere = new TestRegistry()) {
      TestImage image = big();
      elsewhere.push("app", "1", image);
      registry.before(
          exchange -> {
            if (!exchange.getRequestURI().getPath().contains("/blobs/")) {
              return false;
            }
            exchange
                .getResponseHeaders()
                .set("Location", elsewhere.uri() + exchange.getRequestURI().getPath());
            exchange.sendResponseHeaders(307, -1);
            return true;
          });
      store().pull(request(registry.push("app", "1", image)));
      assertEquals(2, elsewhere.requests().size());
    }
  }

  @Test
  @DisplayName("without sqfstar the message says what to install")
  void missingTool() {
    store(configuration().withSquashfsTool("no-such-sqfstar"));
    assertSays(
        "install squashfs-tools",
        failure(Code.FAILED_PRECONDITION, registry.push("app", "1", big())));
  }

  @Test
  @DisplayName("two stores don't share a directory")
  void locked() {
    store();
    PortLayerException failure =
        assertThrows(PortLayerException.class, () -> ImageStore.open(configuration()));
    assertEquals(Code.FAILED_PRECONDITION, failure.code());
  }
}
