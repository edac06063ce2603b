package dev.berth.portlayer.storage;

import java.time.Instant;
import java.util.List;
import java.util.Objects;

/**
 * One image on the datastore, complete and ready to be attached.
 *
 * @param id the digest of the image's configuration, {@code sha256:…}: what the kubelet shows as
 *     the image's id
 * @param repositoryDigests every {@code repository@sha256:…} under which the image was pulled
 * @param references every reference (normalised, with tag) that named it when it was pulled last
 * @param disk its read-only disk, shared by all containerVMs that run it
 * @param size bytes that its disk occupies
 * @param lastUsed when it was last pulled or asked for; garbage collection begins with the oldest
 */
public record Image(
    String id,
    List<String> repositoryDigests,
    List<String> references,
    ImageConfiguration configuration,
    DiskAttachment disk,
    long size,
    Instant lastUsed) {
  public Image {
    Objects.requireNonNull(id, "id");
    repositoryDigests = List.copyOf(repositoryDigests);
    references = List.copyOf(references);
  }
}
