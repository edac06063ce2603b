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
}
