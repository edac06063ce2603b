package dev.berth.portlayer.events;

import java.time.Instant;
import java.util.Objects;

/**
 * Something happened to a group or a containerVM. A hint: whoever acts on it reads the state again
 * first.
 *
 * @param subject the id of the group, containerVM, image, disk or endpoint, or the name of a host
 *     or datastore of the hypervisor's
 * @param groupId the group it belongs to; empty for what belongs to none
 * @param detail for people
 */
public record PortLayerEvent(
    Instant time, Type type, String subject, String groupId, String detail) {
  /** What happened. */
  public enum Type {
    GROUP_CREATED,
    GROUP_DESTROYED,
    VM_POWERED_ON,
    VM_READY,
    VM_POWERED_OFF,
    PROCESS_STARTED,
    PROCESS_EXITED,
    CAPACITY_CHANGED,

    /** It runs on another host, and has gone on meanwhile. */
    VM_MIGRATED,

    /** Its host failed, and it was started anew on another. */
    VM_RESTARTED,

    /** What an administrator watches has changed for the worse. */
    ALARM,

    /** Something that somebody may have to look into. */
    WARNING,

    /** Something worth knowing. */
    NOTICE
  }

  public PortLayerEvent {
    Objects.requireNonNull(time, "time");
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(subject, "subject");
  }
}
