package dev.berth.portlayer.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.image.testing.DiskListing;
import dev.berth.portlayer.image.testing.TarBuilder;
import dev.berth.portlayer.image.testing.TestImage;
import dev.berth.portlayer.image.testing.TestImage.Compression;
import dev.berth.portlayer.image.testing.TestRegistry;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One image from a registry to a disk, and what the store then knows of it. */
class ImageStoreTest {
  @TempDir Path directory;
  private final TestRegistry registry = new TestRegistry();
  private ImageStore store;

  @BeforeEach
  void open() {
    store = ImageStore.open(configuration());
  }

  private ImageStoreConfiguration configuration() {
    return ImageStoreConfiguration.defaults(directory.resolve("store"))
        .withRegistries(List.of(registry.configuration()));
  }

  @AfterEach
  void close() {
    store.close();
    registry.close();
  }

  private static ImageRequest request(String reference) {
    return new ImageRequest(reference, List.of(), Duration.ofSeconds(60));
  }

  private static TestImage twoLayers() {
    return new TestImage()
        .layer(
            new TarBuilder().directory("etc").file("etc/name", "below").file("gone", "x").build(),
            Compression.GZIP)
        .layer(
            new TarBuilder().file("etc/name", "above").file(".wh.gone", "").build(),
            Compression.ZSTD);
  }

  @Test
  @DisplayName("pulling makes one squashfs file of all layers")
  void pull() throws Exception {
    TestImage image = twoLayers();
    String reference = registry.push("team/app", "1", image);
    Image pulled = store.pull(request(reference));
    Path disk = Path.of(pulled.disk().location());
    assertEquals("above", DiskListing.cat(disk, "etc/name"));
    assertTrue(!DiskListing.of(disk).contains("gone"), DiskListing.of(disk));
    assertEquals(image.id().toString(), pulled.id());
    assertEquals("image-" + image.id().hex().substring(0, 32), pulled.disk().id());
    assertEquals(DiskAttachment.Role.IMAGE, pulled.disk().role());
    assertEquals(List.of(reference), pulled.references());
    assertEquals(
        List.of(registry.host() + "/team/app@" + image.digest()), pulled.repositoryDigests());
    assertEquals(Files.size(disk), pulled.size());
    assertEquals(List.of("/bin/sh"), pulled.configuration().command());
  }

  @Test
  @DisplayName("pulling an unchanged image again costs one request")
  void pullAgain() {
    String reference = registry.push("app", "1", twoLayers());
    Image first = store.pull(request(reference));
    registry.forgetRequests();
    Image second = store.pull(request(reference));
    assertEquals(first.disk(), second.disk());
    assertEquals(List.of("HEAD /v2/app/manifests/1"), registry.requests());
  }

  @Test
  @DisplayName("an image is found by reference, repository digest and id, also after reopening")
  void find() {
    TestImage image = twoLayers();
    String reference = registry.push("app", "1", image);
    Image pulled = store.pull(request(reference));
    store.close();
    store = ImageStore.open(configuration());
    registry.forgetRequests();
    for (String name :
        List.of(
            reference,
            registry.host() + "/app@" + image.digest(),
            registry.host() + "/app:1@" + image.digest(),
            image.id().toString(),
            image.id().hex())) {
      assertEquals(pulled.disk(), store.find(name).orElseThrow().disk(), name);
      assertEquals(pulled.configuration(), store.find(name).orElseThrow().configuration());
    }
    assertTrue(store.find(registry.host() + "/app:2").isEmpty());
    assertEquals(List.of(), registry.requests());
    assertEquals(1, store.list().size());
  }

  @Test
  @DisplayName("a tag that moved names the new image only, and layers are shared")
  void movedTag() {
    TestImage old = twoLayers();
    String reference = registry.push("app", "1", old);
    store.pull(request(reference));
    byte[] more = new TarBuilder().file("more", "x").build();
    TestImage young = twoLayers().layer(more, Compression.GZIP);
    registry.push("app", "1", young);
    registry.forgetRequests();
    Image pulled = store.pull(request(reference));
    assertEquals(young.id().toString(), pulled.id());
    assertEquals(young.id().toString(), store.find(reference).orElseThrow().id());
    assertEquals(List.of(), store.find(old.id().toString()).orElseThrow().references());
    assertEquals(0, registry.count(old.layers().get(0).toString()));
  }

  @Test
  @DisplayName("removing an image removes its disk and the layers only it used")
  void remove() throws Exception {
    TestImage one = twoLayers();
    TestImage two = twoLayers().layer(new TarBuilder().file("more", "x").build(), Compression.GZIP);
    Image first = store.pull(request(registry.push("app", "1", one)));
    Image second = store.pull(request(registry.push("app", "2", two)));
    PortLayerException refused =
        assertThrows(PortLayerException.class, () -> store.remove(first.id(), Set.of(first.id())));
    assertEquals(Code.FAILED_PRECONDITION, refused.code());
    store.remove(second.id(), Set.of());
    store.remove(second.id(), Set.of());
    assertTrue(Files.exists(directory.resolve("store/blobs/" + one.layers().get(0).hex())));
    assertTrue(!Files.exists(directory.resolve("store/blobs/" + two.layers().get(2).hex())));
    assertTrue(!Files.exists(Path.of(second.disk().location())));
    assertTrue(store.usedBytes() >= first.size());
    store.remove(first.id(), Set.of());
    assertEquals(0, store.usedBytes());
  }
}
