package dev.berth.portlayer.storage;

import dev.berth.portlayer.Identifiers;
import java.util.Objects;

/**
 * A disk as it goes into a containerVM's specification. Only the backend that handed it out can
 * read {@code location}.
 *
 * @param id the disk's identity: the caller's for scratch disks and volumes, the storage service's
 *     for image disks
 * @param role what the tether does with it
 * @param location the backend's own way to find the disk (a path, a datastore path)
 * @param readOnly whether the containerVM gets it read-only
 */
public record DiskAttachment(String id, Role role, String location, boolean readOnly) {
  /** What a disk is to the container. */
  public enum Role {
    /** The lower layer of the container's root; always read-only. */
    IMAGE,
    /**
     * The upper layer of the container's root, empty at the start of each attempt, and directories
     * that live as long as the pod.
     */
    SCRATCH,
    /** A file system of its own, mounted where the process's specification says. */
    VOLUME
  }

  public DiskAttachment {
    Identifiers.check("disk id", id);
    Objects.requireNonNull(role, "role");
    Objects.requireNonNull(location, "location");
    if (role == Role.IMAGE && !readOnly) {
      throw new IllegalArgumentException("an image disk is attached read-only");
    }
  }
}
