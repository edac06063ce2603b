package dev.berth.portlayer.vsphere.vim;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** What vCenter writes down of what happened. */
public final class Events {
  private Events() {}

  /**
   * What happened, of any kind; the properties behind {@code fullFormattedMessage} are those of
   * some kinds alone.
   *
   * @param typeName the kind, as {@code VmPoweredOnEvent}
   * @param eventTypeId the kind of an {@code EventEx}
   * @param key ascends with time
   * @param userName who did it; empty when vCenter did
   * @param fullFormattedMessage of a reconfiguration with the values that changed, which may be
   *     secret
   * @param entity what an alarm is about
   * @param reason a fault in most kinds
   */
  public record Event(
      @JsonProperty("_typeName") @Nullable String typeName,
      @Nullable String eventTypeId,
      Integer key,
      @Nullable Integer chainId,
      Instant createdTime,
      @Nullable String userName,
      @Nullable VmEventArgument vm,
      @Nullable HostEventArgument host,
      @Nullable String fullFormattedMessage,
      @Nullable HostEventArgument sourceHost,
      @Nullable AlarmEventArgument alarm,
      @Nullable ManagedEntityEventArgument entity,
      @Nullable String from,
      @Nullable String to,
      @Nullable String message,
      @Nullable JsonNode reason)
      implements DataObject {
    /** The kind that filters go by. */
    public String kind() {
      return eventTypeId != null ? eventTypeId : typeName == null ? "" : typeName;
    }
  }

  public record VmEventArgument(String name, ManagedObjectReference vm) implements DataObject {}

  public record HostEventArgument(String name, ManagedObjectReference host) implements DataObject {}

  public record AlarmEventArgument(String name) implements DataObject {}

  public record ManagedEntityEventArgument(String name, ManagedObjectReference entity)
      implements DataObject {}

  public record EventFilterSpec(
      @Nullable EventFilterSpecByEntity entity,
      @Nullable EventFilterSpecByTime time,
      List<String> eventTypeId)
      implements DataObject {}

  /**
   * @param recursion {@code self}, {@code children} or {@code all}
   */
  public record EventFilterSpecByEntity(ManagedObjectReference entity, String recursion)
      implements DataObject {}

  public record EventFilterSpecByTime(Instant beginTime) implements DataObject {}
}
