package dev.berth.portlayer.vsphere.vim;

import dev.berth.portlayer.vsphere.vim.VirtualDevices.VirtualDevice;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a VM shall be. */
public final class VmSpecs {
  private VmSpecs() {}

  /**
   * A VM to make, or what of one to change: what is unset stays as it is.
   *
   * @param changeVersion refuses the change when the VM has changed since it had this version
   * @param annotation the notes that an administrator sees
   * @param firmware {@code bios} or {@code efi}
   */
  public record VirtualMachineConfigSpec(
      @Nullable String changeVersion,
      @Nullable String name,
      @Nullable String version,
      @Nullable String guestId,
      @Nullable String annotation,
      @Nullable String firmware,
      @Nullable VirtualMachineFileInfo files,
      @Nullable Integer numCPUs,
      @Nullable Integer numCoresPerSocket,
      @Nullable Long memoryMB,
      List<VirtualDeviceConfigSpec> deviceChange,
      @Nullable ResourceAllocationInfo cpuAllocation,
      @Nullable ResourceAllocationInfo memoryAllocation,
      List<OptionValue> extraConfig)
      implements DataObject {
    /** A change of nothing but extraConfig, where an empty text removes a key. */
    public static VirtualMachineConfigSpec ofExtraConfig(List<OptionValue> changes) {
      return new VirtualMachineConfigSpec(
          null, null, null, null, null, null, null, null, null, null, List.of(), null, null,
          changes);
    }
  }

  /**
   * Where a VM's own files are.
   *
   * @param vmPathName {@code [datastore1]}, or with the folder that holds them
   */
  public record VirtualMachineFileInfo(String vmPathName) implements DataObject {}

  public record VirtualDeviceConfigSpec(
      String operation, @Nullable String fileOperation, VirtualDevice device)
      implements DataObject {
    /** Adds a device; what stands behind it exists. */
    public static VirtualDeviceConfigSpec add(VirtualDevice device) {
      return new VirtualDeviceConfigSpec("add", null, device);
    }

    /** Adds a disk and makes its file. */
    public static VirtualDeviceConfigSpec addNewFile(VirtualDevice device) {
      return new VirtualDeviceConfigSpec("add", "create", device);
    }

    /** Takes a device away; its file stays. */
    public static VirtualDeviceConfigSpec remove(VirtualDevice device) {
      return new VirtualDeviceConfigSpec("remove", null, device);
    }
  }

  /**
   * CPU in MHz or memory in MB.
   *
   * @param limit -1 is none
   * @param expandableReservation of a pool: whether it may borrow from its parent
   */
  public record ResourceAllocationInfo(
      @Nullable Long reservation,
      @Nullable Boolean expandableReservation,
      @Nullable Long limit,
      @Nullable SharesInfo shares)
      implements DataObject {
    public static final long UNLIMITED = -1;
  }

  /**
   * @param shares counts when the level is {@code custom}; must be given with each
   * @param level {@code low}, {@code normal}, {@code high} or {@code custom}
   */
  public record SharesInfo(Integer shares, String level) implements DataObject {
    public static SharesInfo custom(int shares) {
      return new SharesInfo(shares, "custom");
    }

    public static SharesInfo normal() {
      return new SharesInfo(0, "normal");
    }
  }

  /** What a resource pool may use. */
  public record ResourceConfigSpec(
      @Nullable ManagedObjectReference entity,
      @Nullable String changeVersion,
      ResourceAllocationInfo cpuAllocation,
      ResourceAllocationInfo memoryAllocation)
      implements DataObject {}

  /** One key of a VM's extraConfig, or one option of a method. */
  public record OptionValue(String key, @Nullable AnyValue value) implements DataObject {
    public OptionValue(String key, String value) {
      this(key, new AnyValue(value));
    }
  }

  /** A disk to make without a VM. */
  public record FileBackedVirtualDiskSpec(String diskType, String adapterType, Long capacityKb)
      implements DataObject {}
}
