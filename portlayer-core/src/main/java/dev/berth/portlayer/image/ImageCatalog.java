package dev.berth.portlayer.image;

import dev.berth.portlayer.image.content.Digest;
import dev.berth.portlayer.image.registry.ImageReference;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.storage.Image;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The complete images, in memory and on disk alike, and the blobs that pulls under way need. Every
 * method is atomic to the others.
 */
final class ImageCatalog {
  private final StoreDirectory directory;
  private final Clock clock;
  private final Map<Digest, ImageRecord> records = new HashMap<>();
  private final Map<Digest, Instant> used = new HashMap<>();
  private final Map<Digest, Integer> pins = new HashMap<>();

  ImageCatalog(StoreDirectory directory, Clock clock) throws IOException {
    this.directory = directory;
    this.clock = clock;
    for (ImageRecord record : directory.load()) {
      records.put(record.id(), record);
      used.put(record.id(), directory.lastUsed(record.id()));
    }
  }

  synchronized List<Image> list() {
    return records.values().stream().map(this::image).toList();
  }

  /** The image that satisfies the condition, marked as used. */
  private Optional<Image> use(Predicate<ImageRecord> condition) throws IOException {
    Optional<ImageRecord> found = records.values().stream().filter(condition).findFirst();
    if (found.isPresent()) {
      touch(found.get().id());
    }
    return found.map(this::image);
  }

  private void touch(Digest id) throws IOException {
    Instant now = clock.instant();
    directory.touch(id, now);
    used.put(id, now);
  }

  synchronized Optional<Image> findById(Digest id) throws IOException {
    return use(record -> record.id().equals(id));
  }

  synchronized Optional<Image> find(ImageReference reference) throws IOException {
    Optional<Digest> digest = reference.digest();
    if (digest.isPresent()) {
      String wanted = reference.name() + "@" + digest.get();
      return use(record -> record.repositoryDigests().contains(wanted));
    }
    String wanted = reference.toString();
    return use(record -> record.references().contains(wanted));
  }

  /** The image whose manifest or index has this digest, in whatever repository. */
  synchronized Optional<Digest> withTarget(Digest target) {
    String suffix = "@" + target;
    return records.values().stream()
        .filter(record -> record.repositoryDigests().stream().anyMatch(d -> d.endsWith(suffix)))
        .map(ImageRecord::id)
        .findFirst();
  }

  /** Adds an image whose disk is in place, unless it is known. */
  synchronized void add(ImageRecord record) throws IOException {
    if (!records.containsKey(record.id())) {
      Instant now = clock.instant();
      directory.save(record, now);
      records.put(record.id(), record);
      used.put(record.id(), now);
    }
  }

  /**
   * Notes that the reference now names this image, and no other any more; marks it as used.
   *
   * @return empty when the image has gone meanwhile
   */
  synchronized Optional<Image> name(Digest id, ImageReference reference, Digest target)
      throws IOException {
    ImageRecord record = records.get(id);
    if (record == null) {
      return Optional.empty();
    }
    Set<String> digests = new LinkedHashSet<>(record.repositoryDigests());
    digests.add(reference.name() + "@" + target);
    Set<String> references = new LinkedHashSet<>(record.references());
    if (reference.digest().isEmpty()) {
      references.add(reference.toString());
      takeFromOthers(id, reference.toString());
    }
    replace(record.named(List.copyOf(digests), List.copyOf(references)));
    return findById(id);
  }

  private void takeFromOthers(Digest id, String reference) throws IOException {
    for (ImageRecord other : List.copyOf(records.values())) {
      if (!other.id().equals(id) && other.references().contains(reference)) {
        List<String> rest = new ArrayList<>(other.references());
        rest.remove(reference);
        replace(other.named(other.repositoryDigests(), rest));
      }
    }
  }

  private void replace(ImageRecord record) throws IOException {
    if (!record.equals(records.get(record.id()))) {
      directory.save(record, used.getOrDefault(record.id(), clock.instant()));
      records.put(record.id(), record);
    }
  }

  /** Removes an image and the layers only it used; returns the bytes freed. */
  synchronized long remove(Digest id) throws IOException {
    ImageRecord record = records.remove(id);
    used.remove(id);
    if (record == null) {
      return 0;
    }
    directory.delete(record);
    long freed = record.size();
    for (Digest layer : new HashSet<>(record.layers())) {
      if (!needed(layer)) {
        freed += StoreDirectory.sizeOf(directory.blob(layer));
        Files.deleteIfExists(directory.blob(layer));
      }
    }
    return freed;
  }

  private boolean needed(Digest layer) {
    return pins.containsKey(layer)
        || records.values().stream().anyMatch(record -> record.layers().contains(layer));
  }

  /** Keeps blobs and partial downloads from removal while a pull needs them. */
  synchronized void pin(Iterable<Digest> layers) {
    layers.forEach(layer -> pins.merge(layer, 1, Integer::sum));
  }

  synchronized void unpin(Iterable<Digest> layers) {
    layers.forEach(layer -> pins.computeIfPresent(layer, (key, n) -> n == 1 ? null : n - 1));
  }

  /** Removes downloads, whole or partial, that no image and no pull needs and are this old. */
  synchronized void removeAbandoned(Instant before) throws IOException {
    Set<String> names = new HashSet<>();
    records.values().forEach(record -> record.layers().forEach(layer -> names.add(layer.hex())));
    pins.keySet().forEach(layer -> names.add(layer.hex()));
    List<Path> candidates = new ArrayList<>(directory.blobs());
    candidates.addAll(directory.partials());
    for (Path file : candidates) {
      boolean old = Files.getLastModifiedTime(file).toInstant().isBefore(before);
      if (old && !names.contains(file.getFileName().toString())) {
        Files.deleteIfExists(file);
      }
    }
  }

  /** Marks images that containerVMs use as used now. */
  synchronized void touchAll(Set<String> ids) throws IOException {
    for (Digest id : List.copyOf(records.keySet())) {
      if (ids.contains(id.toString())) {
        touch(id);
      }
    }
  }

  /** Images last used before a moment, the least recently used first. */
  synchronized List<Digest> unusedSince(Instant moment) {
    return records.keySet().stream()
        .filter(id -> lastUsed(id).isBefore(moment))
        .sorted(Comparator.comparing(this::lastUsed))
        .toList();
  }

  private Instant lastUsed(Digest id) {
    return used.getOrDefault(id, Instant.EPOCH);
  }

  private Image image(ImageRecord record) {
    Digest id = record.id();
    return new Image(
        id.toString(),
        record.repositoryDigests(),
        record.references(),
        record.configuration(),
        new DiskAttachment(
            "image-" + id.hex().substring(0, 32),
            DiskAttachment.Role.IMAGE,
            directory.disk(id).toString(),
            true),
        record.size(),
        lastUsed(id));
  }
}
