package dev.berth.portlayer.storage;

import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Images, scratch disks and volumes on the VCH's datastore. */
public interface StorageService {
  /**
   * Resolves the reference at its registry and makes the image's disk, unless a disk of the same
   * digest is there already. Idempotent; concurrent calls for one image share one pull. Nothing
   * half-written is ever returned by any method: an interrupted pull leaves verified layers behind,
   * which the next one uses.
   *
   * @throws dev.berth.portlayer.PortLayerException INVALID_ARGUMENT (malformed reference),
   *     NOT_FOUND (no such repository, tag or digest, or no platform that runs here),
   *     UNAUTHENTICATED (credentials missing or refused), PERMISSION_DENIED (registry not on the
   *     allow-list), CORRUPT (a blob that does not match its digest, an unreadable layer),
   *     RESOURCE_EXHAUSTED (datastore full), UNAVAILABLE (registry cannot be reached),
   *     DEADLINE_EXCEEDED
   */
  Image pullImage(ImageRequest request);

  /**
   * The image that a reference, repository digest or image id named when it was pulled last; asks
   * no registry. Marks it as used now.
   */
  Optional<Image> findImage(String reference);

  /** Every complete image, in no order. */
  List<Image> listImages();

  /**
   * Removes one image and the layers that no other image uses. Idempotent.
   *
   * @param inUse ids of images that containerVMs use
   * @throws dev.berth.portlayer.PortLayerException FAILED_PRECONDITION when {@code id} is in use
   */
  void removeImage(String id, Set<String> inUse);

  /**
   * Removes images, least recently used first, when the datastore is fuller than the policy allows,
   * and abandoned partial downloads.
   *
   * @param inUse ids of images that containerVMs use; never removed
   * @return the ids of the images removed
   */
  List<String> collectGarbage(GarbagePolicy policy, Set<String> inUse);

  /**
   * Makes a thin, formatted, writable disk. Idempotent by id.
   *
   * @param id the caller's identity for the disk
   * @param role SCRATCH or VOLUME
   * @param size bytes; rounded up to a mebibyte
   * @throws dev.berth.portlayer.PortLayerException ALREADY_EXISTS when a disk of that id has
   *     another size or role, RESOURCE_EXHAUSTED, INVALID_ARGUMENT when the size is below 16 MiB
   */
  DiskAttachment createDisk(String id, DiskAttachment.Role role, long size);

  /**
   * Deletes a scratch disk or volume. Idempotent.
   *
   * @throws dev.berth.portlayer.PortLayerException FAILED_PRECONDITION when a containerVM that is
   *     powered on has it attached
   */
  void deleteDisk(String id);

  /** Every scratch disk and volume, for finding orphans. */
  List<DiskAttachment> listDisks();

  StorageUsage usage();
}
