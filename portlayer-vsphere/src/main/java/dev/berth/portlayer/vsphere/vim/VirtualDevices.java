package dev.berth.portlayer.vsphere.vim;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A VM's virtual hardware. Keys are the caller's while a device is added (negative by custom, and
 * replaced by vCenter), and vCenter's afterwards.
 */
public final class VirtualDevices {
  private VirtualDevices() {}

  /** Any device. */
  public interface VirtualDevice extends DataObject {
    Integer key();
  }

  /** What stands behind a device. */
  public interface Backing extends DataObject {}

  /** Whether the device is plugged in. */
  public record VirtualDeviceConnectInfo(
      Boolean startConnected, Boolean allowGuestControl, Boolean connected) implements DataObject {
    /** Connected from power-on, and not the guest's to disconnect. */
    public static VirtualDeviceConnectInfo always() {
      return new VirtualDeviceConnectInfo(true, false, true);
    }
  }

  /** A pvscsi controller. */
  public record ParaVirtualSCSIController(Integer key, Integer busNumber, String sharedBus)
      implements VirtualDevice {
    public ParaVirtualSCSIController(int key, int busNumber) {
      this(key, busNumber, "noSharing");
    }
  }

  public record VirtualIDEController(Integer key, Integer busNumber) implements VirtualDevice {}

  /**
   * @param capacityInBytes what a disk that is made with the VM will have; of one that exists, what
   *     it has
   */
  public record VirtualDisk(
      Integer key,
      @Nullable Integer controllerKey,
      @Nullable Integer unitNumber,
      @Nullable Backing backing,
      Long capacityInKB,
      @Nullable Long capacityInBytes)
      implements VirtualDevice {}

  /**
   * A VMDK.
   *
   * @param fileName as {@code [datastore1] folder/disk.vmdk}
   * @param diskMode as {@code persistent}, {@code independent_persistent} or {@code
   *     independent_nonpersistent}
   * @param sharing as {@code sharingMultiWriter}
   */
  public record VirtualDiskFlatVer2BackingInfo(
      String fileName,
      @Nullable ManagedObjectReference datastore,
      String diskMode,
      @Nullable Boolean thinProvisioned,
      @Nullable Boolean eagerlyScrub,
      @Nullable String uuid,
      @Nullable String sharing)
      implements Backing {}

  public record VirtualCdrom(
      Integer key,
      @Nullable Integer controllerKey,
      @Nullable Integer unitNumber,
      @Nullable Backing backing,
      @Nullable VirtualDeviceConnectInfo connectable)
      implements VirtualDevice {}

  public record VirtualCdromIsoBackingInfo(
      String fileName, @Nullable ManagedObjectReference datastore) implements Backing {}

  /**
   * A paravirtual network interface.
   *
   * @param addressType {@code manual} when {@code macAddress} is the caller's
   */
  public record VirtualVmxnet3(
      Integer key,
      @Nullable Integer controllerKey,
      @Nullable Integer unitNumber,
      @Nullable Backing backing,
      @Nullable VirtualDeviceConnectInfo connectable,
      @Nullable String addressType,
      @Nullable String macAddress,
      @Nullable Boolean wakeOnLanEnabled)
      implements VirtualDevice {}

  /** A port group of a standard switch, found by its name on each host. */
  public record VirtualEthernetCardNetworkBackingInfo(
      String deviceName, @Nullable ManagedObjectReference network) implements Backing {}

  /** A port of a distributed port group. */
  public record VirtualEthernetCardDistributedVirtualPortBackingInfo(
      DistributedVirtualSwitchPortConnection port) implements Backing {}

  public record DistributedVirtualSwitchPortConnection(
      String switchUuid, @Nullable String portgroupKey, @Nullable String portKey)
      implements DataObject {}

  /**
   * What a distributed port group is set to.
   *
   * @param uplink whether it is of the switch's uplinks
   * @param defaultPortConfig a {@code VMwareDVSPortSetting}: VLAN and policies of its ports
   */
  public record DVPortgroupConfigInfo(
      String key,
      @Nullable ManagedObjectReference distributedVirtualSwitch,
      @Nullable Boolean uplink,
      @Nullable GenericObject defaultPortConfig)
      implements DataObject {}

  /**
   * @param controllerKey of the controller for super I/O, 400 in every VM
   * @param unitNumber which of the four ports the guest sees
   */
  public record VirtualSerialPort(
      Integer key,
      @Nullable Integer controllerKey,
      @Nullable Integer unitNumber,
      @Nullable Backing backing,
      @Nullable VirtualDeviceConnectInfo connectable,
      Boolean yieldOnPoll)
      implements VirtualDevice {}

  /** What the guest writes is appended to a file on a datastore. */
  public record VirtualSerialPortFileBackingInfo(
      String fileName, @Nullable ManagedObjectReference datastore) implements Backing {}

  /**
   * A network serial port.
   *
   * @param serviceURI as {@code tcp://host:port}
   * @param direction {@code client} when the hypervisor dials out, {@code server} when it listens
   */
  public record VirtualSerialPortURIBackingInfo(
      String serviceURI, String direction, @Nullable String proxyURI) implements Backing {}

  /** The hardware that a VM has. */
  public record VirtualHardware(Integer numCPU, Integer memoryMB, List<VirtualDevice> device)
      implements DataObject {}
}
