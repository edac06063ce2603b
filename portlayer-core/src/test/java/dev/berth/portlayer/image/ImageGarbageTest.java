package dev.berth.portlayer.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.image.testing.TarBuilder;
import dev.berth.portlayer.image.testing.TestImage;
import dev.berth.portlayer.image.testing.TestImage.Compression;
import dev.berth.portlayer.image.testing.TestRegistry;
import dev.berth.portlayer.storage.GarbagePolicy;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageRequest;
import dev.berth.portlayer.storage.StorageUsage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which images go when the datastore fills up. */
class ImageGarbageTest {
  private static final StorageUsage FULL = new StorageUsage(1_000_000_000, 50_000_000, 0, 0);
  private static final StorageUsage ROOMY = new StorageUsage(1_000_000_000, 200_000_000, 0, 0);

  /** A clock that a test moves. */
  private static final class HandClock extends Clock {
    private Instant now = Instant.parse("2026-01-01T00:00:00Z");

    @Override
    public Instant instant() {
      return now;
    }

    void advance(Duration time) {
      now = now.plus(time);
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }
  }

  @TempDir Path directory;
  private final TestRegistry registry = new TestRegistry();
  private final HandClock clock = new HandClock();
  private ImageStore store;

  @BeforeEach
  void open() {
    store = ImageStore.open(configuration(), clock);
  }

  private ImageStoreConfiguration configuration() {
    return ImageStoreConfiguration.defaults(directory)
        .withRegistries(List.of(registry.configuration()));
  }

  @AfterEach
  void close() {
    store.close();
    registry.close();
  }

  private Image pull(String name) {
    TestImage image =
        new TestImage().layer(new TarBuilder().file(name, name).build(), Compression.GZIP);
    Image pulled =
        store.pull(
            new ImageRequest(registry.push(name, "1", image), List.of(), Duration.ofSeconds(60)));
    clock.advance(Duration.ofMinutes(5));
    return pulled;
  }

  @Test
  @DisplayName("below the high threshold nothing goes, above it whatever is unused and old enough")
  void thresholds() {
    Image image = pull("a");
    assertEquals(List.of(), store.collectGarbage(GarbagePolicy.defaults(), Set.of(), ROOMY));
    assertEquals(
        List.of(), store.collectGarbage(new GarbagePolicy(100, 80, Duration.ZERO), Set.of(), FULL));
    assertEquals(
        List.of(image.id()), store.collectGarbage(GarbagePolicy.defaults(), Set.of(), FULL));
    assertTrue(store.list().isEmpty());
  }

  @Test
  @DisplayName("the least recently used goes first, and no more than needed")
  void order() {
    Image first = pull("a");
    Image second = pull("b");
    store.find(first.id());
    clock.advance(Duration.ofMinutes(5));
    StorageUsage little = new StorageUsage(1_000_000, 199_999, 0, 0);
    GarbagePolicy policy = new GarbagePolicy(80, 80, Duration.ofMinutes(2));
    assertEquals(List.of(second.id()), store.collectGarbage(policy, Set.of(), little));
  }

  @Test
  @DisplayName("an image in use stays, and so does one used within the minimum age")
  void spared() {
    Image used = pull("a");
    Image young = pull("b");
    store.find(young.references().getFirst());
    assertEquals(
        List.of(), store.collectGarbage(GarbagePolicy.defaults(), Set.of(used.id()), FULL));
    assertEquals(2, store.list().size());
    assertEquals(
        List.of(), store.collectGarbage(GarbagePolicy.defaults(), Set.of(), FULL), "used just now");
  }

  @Test
  @DisplayName("the last use is known after reopening")
  void remembered() {
    Image image = pull("a");
    Instant lastUsed = image.lastUsed();
    store.close();
    store = ImageStore.open(configuration(), clock);
    assertEquals(lastUsed, store.list().getFirst().lastUsed());
  }

  @Test
  @DisplayName("abandoned downloads go after an hour, under pressure after the minimum age")
  void abandoned() throws Exception {
    Path partial = Files.write(directory.resolve("partial/" + "a".repeat(64)), new byte[10]);
    Files.setLastModifiedTime(partial, FileTime.from(clock.instant()));
    clock.advance(Duration.ofMinutes(10));
    store.collectGarbage(GarbagePolicy.defaults(), Set.of(), ROOMY);
    assertTrue(Files.exists(partial));
    store.collectGarbage(GarbagePolicy.defaults(), Set.of(), FULL);
    assertFalse(Files.exists(partial));
  }
}
