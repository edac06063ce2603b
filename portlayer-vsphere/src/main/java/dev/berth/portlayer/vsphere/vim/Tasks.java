package dev.berth.portlayer.vsphere.vim;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What vCenter does in the background, and how it fails. */
public final class Tasks {
  private Tasks() {}

  /**
   * @param descriptionId the method, as {@code VirtualMachine.powerOn}
   * @param state {@code queued}, {@code running}, {@code success} or {@code error}
   * @param progress percent
   */
  public record TaskInfo(
      String key,
      ManagedObjectReference task,
      @Nullable String descriptionId,
      @Nullable ManagedObjectReference entity,
      @Nullable String entityName,
      String state,
      @Nullable Integer progress,
      @Nullable LocalizedMethodFault error,
      @Nullable AnyValue result,
      @Nullable Instant queueTime,
      @Nullable Instant startTime,
      @Nullable Instant completeTime)
      implements DataObject {
    public boolean over() {
      return state.equals("success") || state.equals("error");
    }
  }

  public record LocalizedMethodFault(GenericObject fault, @Nullable String localizedMessage)
      implements DataObject {}

  /** What became of VMs that were to be powered on together. */
  public record ClusterPowerOnVmResult(
      List<ClusterAttemptedVmInfo> attempted, List<ClusterNotAttemptedVmInfo> notAttempted)
      implements DataObject {}

  /**
   * @param task the power-on; unset when the VM is on already
   */
  public record ClusterAttemptedVmInfo(
      ManagedObjectReference vm, @Nullable ManagedObjectReference task) implements DataObject {}

  public record ClusterNotAttemptedVmInfo(ManagedObjectReference vm, LocalizedMethodFault fault)
      implements DataObject {}

  /**
   * What happened, of any kind.
   *
   * @param typeName the kind, as {@code VmPoweredOnEvent}
   * @param eventTypeId the kind of an {@code EventEx}
   * @param key ascends with time
   */
  public record Event(
      @com.fasterxml.jackson.annotation.JsonProperty("_typeName") @Nullable String typeName,
      @Nullable String eventTypeId,
      Integer key,
      @Nullable Integer chainId,
      Instant createdTime,
      @Nullable String userName,
      @Nullable VmEventArgument vm,
      @Nullable HostEventArgument host,
      @Nullable String fullFormattedMessage)
      implements DataObject {}

  public record VmEventArgument(String name, ManagedObjectReference vm) implements DataObject {}

  public record HostEventArgument(String name, ManagedObjectReference host) implements DataObject {}

  public record EventFilterSpec(
      @Nullable EventFilterSpecByEntity entity,
      List<String> eventTypeId,
      @Nullable Integer maxCount)
      implements DataObject {}

  /**
   * @param recursion {@code self}, {@code children} or {@code all}
   */
  public record EventFilterSpecByEntity(ManagedObjectReference entity, String recursion)
      implements DataObject {}
}
