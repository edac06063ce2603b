package dev.berth.portlayer.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.image.content.Digest;
import dev.berth.portlayer.image.testing.TarBuilder;
import dev.berth.portlayer.image.testing.TestImage;
import dev.berth.portlayer.image.testing.TestImage.Compression;
import dev.berth.portlayer.image.testing.TestRegistry;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageRequest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pulls at the same time. */
class ImagePullSharingTest {
  @TempDir Path directory;
  private final TestRegistry registry = new TestRegistry();
  private final ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor();
  private final CountDownLatch gate = new CountDownLatch(1);
  private ImageStore store;

  private static final byte[] SHARED = new TarBuilder().file("base", "shared").build();

  @BeforeEach
  void open() {
    store =
        ImageStore.open(
            ImageStoreConfiguration.defaults(directory)
                .withRegistries(List.of(registry.configuration())));
  }

  @AfterEach
  void close() {
    gate.countDown();
    callers.shutdownNow();
    store.close();
    registry.close();
  }

  private static TestImage image(String name) {
    return new TestImage()
        .layer(SHARED, Compression.GZIP)
        .layer(new TarBuilder().file(name, name).build(), Compression.GZIP);
  }

  private Future<Image> pull(String reference, Duration deadline) {
    return callers.submit(() -> store.pull(new ImageRequest(reference, List.of(), deadline)));
  }

  /** Holds requests for a blob until the gate opens. */
  private void hold(Digest blob) {
    registry.before(
        exchange -> {
          if (exchange.getRequestURI().getPath().endsWith("/blobs/" + blob)) {
            try {
              return !gate.await(30, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
              return true;
            }
          }
          return false;
        });
  }

  private void awaitRequest(String part) {
    Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> registry.count(part) > 0);
  }

  @Test
  @DisplayName("ten pulls of one image transfer each blob once")
  void once() throws Exception {
    TestImage image = image("a");
    String reference = registry.push("app", "1", image);
    hold(image.layers().getFirst());
    List<Future<Image>> pulls = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      pulls.add(pull(reference, Duration.ofSeconds(60)));
    }
    awaitRequest("/blobs/" + image.layers().getFirst());
    gate.countDown();
    for (Future<Image> pull : pulls) {
      assertEquals(image.id().toString(), pull.get(60, TimeUnit.SECONDS).id());
    }
    for (Digest blob : image.blobs().keySet()) {
      assertEquals(1, registry.count("/blobs/" + blob));
    }
  }

  @Test
  @DisplayName("a layer of two images pulled at once is transferred once")
  void sharedLayer() throws Exception {
    TestImage one = image("a");
    TestImage two = image("b");
    Digest shared = one.layers().getFirst();
    String first = registry.push("one", "1", one);
    String second = registry.push("two", "1", two);
    hold(shared);
    Future<Image> a = pull(first, Duration.ofSeconds(60));
    Future<Image> b = pull(second, Duration.ofSeconds(60));
    awaitRequest("/blobs/" + one.layers().get(1));
    awaitRequest("/blobs/" + two.layers().get(1));
    gate.countDown();
    assertEquals(one.id().toString(), a.get(60, TimeUnit.SECONDS).id());
    assertEquals(two.id().toString(), b.get(60, TimeUnit.SECONDS).id());
    assertEquals(1, registry.count("/blobs/" + shared));
  }

  @Test
  @DisplayName("a waiter whose deadline passes or who is interrupted leaves the others their pull")
  void leaving() throws Exception {
    TestImage image = image("a");
    String reference = registry.push("app", "1", image);
    hold(image.layers().getFirst());
    Future<Image> hasty = pull(reference, Duration.ofSeconds(2));
    awaitRequest("/blobs/" + image.layers().getFirst());
    Future<Image> patient = pull(reference, Duration.ofSeconds(60));
    Future<Image> interrupted = pull(reference, Duration.ofSeconds(60));
    ExecutionException late =
        assertThrows(ExecutionException.class, () -> hasty.get(30, TimeUnit.SECONDS));
    PortLayerException cause = assertInstanceOf(PortLayerException.class, late.getCause());
    assertEquals(Code.DEADLINE_EXCEEDED, cause.code());
    interrupted.cancel(true);
    gate.countDown();
    assertEquals(image.id().toString(), patient.get(60, TimeUnit.SECONDS).id());
    assertEquals(1, registry.count("/blobs/" + image.layers().getFirst()));
  }

  @Test
  @DisplayName("a pull that everybody left ends, and the next one succeeds")
  void abandoned() throws Exception {
    TestImage image = image("a");
    String reference = registry.push("app", "1", image);
    hold(image.layers().getFirst());
    Future<Image> hasty = pull(reference, Duration.ofSeconds(1));
    assertThrows(ExecutionException.class, () -> hasty.get(30, TimeUnit.SECONDS));
    gate.countDown();
    assertEquals(
        image.id().toString(),
        pull(reference, Duration.ofSeconds(60)).get(60, TimeUnit.SECONDS).id());
  }
}
