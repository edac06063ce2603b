package dev.berth.portlayer.contract;

import static dev.berth.portlayer.contract.Fixture.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.storage.GarbagePolicy;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.StorageUsage;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

abstract class ImageContract {
  private static final GarbagePolicy EVERYTHING = new GarbagePolicy(0, 0, Duration.ZERO);

  private final Fixture fixture;

  ImageContract(Fixture fixture) {
    this.fixture = fixture;
  }

  @Test
  @DisplayName("a pulled image has an id, a repository digest and a read-only disk")
  void pulled() {
    Image image = fixture.image();
    assertTrue(image.id().matches("sha256:[0-9a-f]{64}"), image.id());
    assertTrue(
        image.repositoryDigests().stream().allMatch(digest -> digest.matches(".+@sha256:.+")));
    assertFalse(image.repositoryDigests().isEmpty());
    assertEquals(DiskAttachment.Role.IMAGE, image.disk().role());
    assertTrue(image.disk().readOnly());
    assertTrue(image.size() > 0);
  }

  @Test
  @DisplayName("pulling again gives the same image and disk")
  void idempotent() {
    Image first = fixture.image();
    Image second = fixture.image();
    assertEquals(first.id(), second.id());
    assertEquals(first.disk(), second.disk());
  }

  @Test
  @DisplayName("concurrent pulls of one image give one disk")
  void concurrent() throws Exception {
    fixture.storage().removeImage(other().id(), Set.of());
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Image>> pulls =
          threads.invokeAll(List.<Callable<Image>>of(this::other, this::other, this::other));
      DiskAttachment disk = pulls.getFirst().get().disk();
      for (Future<Image> pull : pulls) {
        assertEquals(disk, pull.get().disk());
      }
    }
    assertEquals(
        1,
        fixture.storage().listImages().stream()
            .filter(image -> image.id().equals(other().id()))
            .count());
  }

  @Test
  @DisplayName("an image is found by reference, repository digest and id without asking a registry")
  void found() {
    Image image = fixture.image();
    assertEquals(image.id(), find(fixture.environment().image()));
    assertEquals(image.id(), find(image.repositoryDigests().getFirst()));
    assertEquals(image.id(), find(image.id()));
    assertEquals(image.id(), find(image.references().getFirst()));
  }

  @Test
  @DisplayName("finding an image marks it as used")
  void marksAsUsed() {
    Image pulled = fixture.image();
    Image found = fixture.storage().findImage(pulled.id()).orElseThrow();
    assertFalse(found.lastUsed().isBefore(pulled.lastUsed()));
  }

  @Test
  @DisplayName("an image that was never pulled is not found")
  void notFound() {
    assertTrue(fixture.storage().findImage("never-pulled:1.0").isEmpty());
    assertTrue(fixture.storage().findImage("sha256:" + "0".repeat(64)).isEmpty());
  }

  @Test
  @DisplayName("a tag that does not exist is NOT_FOUND")
  void missingTag() {
    String reference = fixture.environment().image();
    String name = reference.substring(0, reference.lastIndexOf(':'));
    assertRefused(
        Code.NOT_FOUND, () -> fixture.storage().pullImage(fixture.request(name + ":no-such-tag")));
  }

  @Test
  @DisplayName("a malformed reference is INVALID_ARGUMENT")
  void malformed() {
    assertRefused(
        Code.INVALID_ARGUMENT,
        () -> fixture.storage().pullImage(fixture.request("Not A Reference")));
  }

  @Test
  @DisplayName("removing an image is idempotent, and it is gone")
  void removed() {
    Image image = other();
    fixture.storage().removeImage(image.id(), Set.of());
    fixture.storage().removeImage(image.id(), Set.of());
    assertTrue(fixture.storage().findImage(image.id()).isEmpty());
    assertFalse(fixture.storage().listImages().stream().anyMatch(i -> i.id().equals(image.id())));
  }

  @Test
  @DisplayName("an image in use is not removed: FAILED_PRECONDITION")
  void inUse() {
    Image image = fixture.image();
    assertRefused(
        Code.FAILED_PRECONDITION,
        () -> fixture.storage().removeImage(image.id(), Set.of(image.id())));
    assertTrue(fixture.storage().findImage(image.id()).isPresent());
  }

  @Test
  @DisplayName("garbage collection removes what is not in use and nothing else")
  void garbage() {
    Image kept = fixture.image();
    Image unused = other();
    List<String> removed = fixture.storage().collectGarbage(EVERYTHING, Set.of(kept.id()));
    assertEquals(List.of(unused.id()), removed);
    assertTrue(fixture.storage().findImage(kept.id()).isPresent());
    assertTrue(fixture.storage().findImage(unused.id()).isEmpty());
  }

  @Test
  @DisplayName("garbage collection leaves images younger than the minimum age")
  void youngImages() {
    Image image = other();
    GarbagePolicy policy = new GarbagePolicy(0, 0, Duration.ofHours(1));
    assertEquals(List.of(), fixture.storage().collectGarbage(policy, Set.of()));
    assertTrue(fixture.storage().findImage(image.id()).isPresent());
  }

  @Test
  @DisplayName("garbage collection does nothing below the high threshold")
  void belowThreshold() {
    fixture.image();
    GarbagePolicy policy = new GarbagePolicy(100, 100, Duration.ZERO);
    assertEquals(List.of(), fixture.storage().collectGarbage(policy, Set.of()));
  }

  @Test
  @DisplayName("usage counts the images")
  void usage() {
    Image image = fixture.image();
    StorageUsage usage = fixture.storage().usage();
    assertTrue(usage.images() >= image.size(), usage::toString);
    assertTrue(usage.available() <= usage.capacity(), usage::toString);
  }

  private Image other() {
    return fixture.storage().pullImage(fixture.request(fixture.environment().otherImage()));
  }

  private String find(String reference) {
    return fixture.storage().findImage(reference).orElseThrow().id();
  }
}
