package dev.berth.portlayer.vsphere.compute;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.Resources;
import dev.berth.portlayer.network.NicAttachment;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.storage.DiskAttachment.Role;
import dev.berth.portlayer.vsphere.storage.Vmdk;
import dev.berth.portlayer.vsphere.vim.VirtualDevices.Backing;
import dev.berth.portlayer.vsphere.vim.VirtualDevices.ParaVirtualSCSIController;
import dev.berth.portlayer.vsphere.vim.VirtualDevices.VirtualCdrom;
import dev.berth.portlayer.vsphere.vim.VirtualDevices.VirtualCdromIsoBackingInfo;
import dev.berth.portlayer.vsphere.vim.VirtualDevices.VirtualDevice;
import dev.berth.portlayer.vsphere.vim.VirtualDevices.VirtualDeviceConnectInfo;
import dev.berth.portlayer.vsphere.vim.VirtualDevices.VirtualDisk;
import dev.berth.portlayer.vsphere.vim.VirtualDevices.VirtualDiskFlatVer2BackingInfo;
import dev.berth.portlayer.vsphere.vim.VirtualDevices.VirtualSerialPort;
import dev.berth.portlayer.vsphere.vim.VirtualDevices.VirtualSerialPortFileBackingInfo;
import dev.berth.portlayer.vsphere.vim.VirtualDevices.VirtualSerialPortURIBackingInfo;
import dev.berth.portlayer.vsphere.vim.VirtualDevices.VirtualVmxnet3;
import dev.berth.portlayer.vsphere.vim.VmSpecs.OptionValue;
import dev.berth.portlayer.vsphere.vim.VmSpecs.ResourceAllocationInfo;
import dev.berth.portlayer.vsphere.vim.VmSpecs.SharesInfo;
import dev.berth.portlayer.vsphere.vim.VmSpecs.VirtualDeviceConfigSpec;
import dev.berth.portlayer.vsphere.vim.VmSpecs.VirtualMachineConfigSpec;
import dev.berth.portlayer.vsphere.vim.VmSpecs.VirtualMachineFileInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.json.JsonMapper;

/** A containerVM's specification as vSphere's: pure functions. */
final class VmTranslation {
  static final int SERIAL_PORTS = 2;

  private static final JsonMapper JSON = JsonMapper.shared();
  private static final long MEBIBYTE = 1L << 20;

  /** vSphere takes memory in steps of this. */
  private static final long MEMORY_STEP = 4;

  /** Every VM has it. */
  private static final int FIRST_IDE_CONTROLLER = 200;

  private static final int FIRST_CONTROLLER = -100;
  private static final int FIRST_DISK = -200;
  private static final int FIRST_NIC = -300;
  private static final int CDROM = -400;
  private static final int SUPER_IO_CONTROLLER = 400;
  private static final int FIRST_SERIAL_PORT = -500;

  /** A SCSI controller has 16 units, of which one is its own. */
  private static final int DISKS_PER_CONTROLLER = 15;

  private static final int CONTROLLER_UNIT = 7;
  private static final int MOST_DISKS = 4 * DISKS_PER_CONTROLLER;
  private static final int MOST_NICS = 10;

  private final VchSettings vch;

  VmTranslation(VchSettings vch) {
    this.vch = vch;
  }

  /**
   * The VM to create.
   *
   * @throws PortLayerException NOT_FOUND (an unknown network), UNSUPPORTED (more disks or
   *     interfaces than a VM can have)
   */
  VirtualMachineConfigSpec translate(VmRecord record) {
    ContainerVmSpec vm = record.vm();
    requireRoom(record);
    List<VirtualDevice> devices = new ArrayList<>();
    addDisks(vm, devices);
    addNics(record, devices);
    devices.add(cdrom());
    devices.add(
        serialPort(0, new VirtualSerialPortFileBackingInfo(vch.log(vm.id()).toString(), null)));
    devices.add(
        serialPort(
            1, new VirtualSerialPortURIBackingInfo(vch.control().toString(), "client", null)));
    return new VirtualMachineConfigSpec(
        null,
        Names.vm(record),
        null,
        "other6xLinux64Guest",
        Names.notes(record),
        "bios",
        new VirtualMachineFileInfo(vch.files(vm.id()).resolve(vm.id() + ".vmx").toString()),
        vm.resources().cpus(),
        1,
        memoryMebibytes(vm.resources()),
        devices.stream().map(VirtualDeviceConfigSpec::add).toList(),
        cpu(vm.resources()),
        memory(vm.resources()),
        extraConfig(record));
  }

  private static void requireRoom(VmRecord record) {
    ContainerVmSpec vm = record.vm();
    int nics = MOST_NICS - (record.controlMac().isPresent() ? 1 : 0);
    if (vm.disks().size() > MOST_DISKS || vm.nics().size() > nics) {
      throw new PortLayerException(
          Code.UNSUPPORTED,
          "containerVM %s has %d disks and %d interfaces, but a VM can have %d and %d"
              .formatted(vm.id(), vm.disks().size(), vm.nics().size(), MOST_DISKS, nics));
    }
  }

  private static void addDisks(ContainerVmSpec vm, List<VirtualDevice> devices) {
    for (int i = 0; i < vm.disks().size(); i++) {
      int controller = i / DISKS_PER_CONTROLLER;
      int unit = i % DISKS_PER_CONTROLLER;
      if (unit == 0) {
        devices.add(new ParaVirtualSCSIController(FIRST_CONTROLLER - controller, controller));
      }
      devices.add(
          new VirtualDisk(
              FIRST_DISK - i,
              FIRST_CONTROLLER - controller,
              unit < CONTROLLER_UNIT ? unit : unit + 1,
              backing(vm.disks().get(i)),
              0L,
              null));
    }
  }

  /**
   * Disks are independent so that no snapshot of an administrator's holds them; image disks are
   * never written, and so are shared.
   */
  private static Backing backing(DiskAttachment disk) {
    return new VirtualDiskFlatVer2BackingInfo(
        disk.location(),
        null,
        disk.readOnly() ? "independent_nonpersistent" : "independent_persistent",
        null,
        null,
        null,
        null);
  }

  private void addNics(VmRecord record, List<VirtualDevice> devices) {
    ContainerVmSpec vm = record.vm();
    for (NicAttachment nic : vm.nics()) {
      Backing backing = vch.networks().get(nic.network());
      if (backing == null) {
        throw new PortLayerException(
            Code.NOT_FOUND,
            "containerVM %s: there is no network %s".formatted(vm.id(), nic.network()));
      }
      devices.add(nic(FIRST_NIC - devices.size(), backing, nic.mac()));
    }
    if (record.controlMac().isPresent()) {
      devices.add(
          nic(
              FIRST_NIC - devices.size(),
              vch.controlNetwork().orElseThrow(),
              record.controlMac().get()));
    }
  }

  private static VirtualDevice nic(int key, Backing backing, String mac) {
    return new VirtualVmxnet3(
        key, null, null, backing, VirtualDeviceConnectInfo.always(), "manual", mac, false);
  }

  private VirtualDevice cdrom() {
    return new VirtualCdrom(
        CDROM,
        FIRST_IDE_CONTROLLER,
        0,
        new VirtualCdromIsoBackingInfo(vch.iso().toString(), null),
        VirtualDeviceConnectInfo.always());
  }

  private static VirtualDevice serialPort(int number, Backing backing) {
    return new VirtualSerialPort(
        FIRST_SERIAL_PORT - number,
        SUPER_IO_CONTROLLER,
        number,
        backing,
        VirtualDeviceConnectInfo.always(),
        true);
  }

  private long memoryMebibytes(Resources resources) {
    long needed = mebibytes(resources.memoryLimit()) + vch.overheadMebibytes();
    return (needed + MEMORY_STEP - 1) / MEMORY_STEP * MEMORY_STEP;
  }

  private static long mebibytes(long bytes) {
    return (bytes + MEBIBYTE - 1) / MEBIBYTE;
  }

  /** In MHz. Shares are vSphere's normal ones, 1000 for a CPU. */
  private ResourceAllocationInfo cpu(Resources resources) {
    return new ResourceAllocationInfo(
        (long) resources.cpuRequestMillis() * vch.megahertz() / 1000,
        null,
        resources.cpuLimitMillis() == 0
            ? ResourceAllocationInfo.UNLIMITED
            : Math.max(1, (long) resources.cpuLimitMillis() * vch.megahertz() / 1000),
        resources.cpuRequestMillis() == 0
            ? SharesInfo.normal()
            : SharesInfo.custom(Math.max(2, resources.cpuRequestMillis())));
  }

  /** The VM's size is its limit. What the guest itself needs is promised with the container's. */
  private ResourceAllocationInfo memory(Resources resources) {
    long request = mebibytes(resources.memoryRequest());
    return new ResourceAllocationInfo(
        request == 0 ? 0 : Math.min(request + vch.overheadMebibytes(), memoryMebibytes(resources)),
        null,
        ResourceAllocationInfo.UNLIMITED,
        SharesInfo.normal());
  }

  private List<OptionValue> extraConfig(VmRecord record) {
    List<OptionValue> options = new ArrayList<>(record.extraConfig());
    options.add(new OptionValue("guestinfo.berth./config", bootConfiguration(record)));
    // What a guest has told under a key outlives its power-off only when the VM was made with it.
    options.add(nothingTold());
    options.add(new OptionValue("disk.EnableUUID", "TRUE"));
    // The log of a VM that is powered on again goes on; nobody is there to answer the question.
    options.add(new OptionValue("answer.msg.serial.file.open", "Append"));
    return options;
  }

  /** In the place of a guest's words, as long as it has said none. */
  static OptionValue nothingTold() {
    return new OptionValue(IndexedVm.STATE, "none");
  }

  /** What the tether is told: no secret, for it can be read in vCenter. */
  private record BootConfiguration(
      int schema,
      String id,
      Identity identity,
      String hostname,
      List<Interface> interfaces,
      List<Disk> disks,
      String controlMac,
      long memoryLimit) {}

  /** The guest makes a key of its own. */
  private record Identity(String authority) {}

  private record Interface(String mac, List<String> addresses, String gateway, int mtu) {}

  private record Disk(String serial, String role) {}

  private String bootConfiguration(VmRecord record) {
    ContainerVmSpec vm = record.vm();
    return JSON.writeValueAsString(
        new BootConfiguration(
            1,
            vm.id(),
            new Identity(vch.authority()),
            vm.hostname(),
            vm.nics().stream()
                .map(nic -> new Interface(nic.mac(), nic.addresses(), nic.gateway(), nic.mtu()))
                .toList(),
            vm.disks().stream()
                .map(
                    disk -> new Disk(serial(vm, disk), disk.role().name().toLowerCase(Locale.ROOT)))
                .toList(),
            record.controlMac().orElse(""),
            vm.resources().memoryLimit()));
  }

  /**
   * The serial number under which a guest finds one of its VM's disks.
   *
   * @throws PortLayerException INVALID_ARGUMENT when the VM has no such disk
   */
  static String serial(ContainerVmSpec vm, String diskId) {
    return vm.disks().stream()
        .filter(disk -> disk.id().equals(diskId))
        .findFirst()
        .map(disk -> serial(vm, disk))
        .orElseThrow(
            () ->
                new PortLayerException(
                    Code.INVALID_ARGUMENT,
                    "containerVM %s has no disk %s".formatted(vm.id(), diskId)));
  }

  private static String serial(ContainerVmSpec vm, DiskAttachment disk) {
    return Vmdk.uuid(disk.role() == Role.IMAGE ? imageDigest(vm) : disk.id());
  }

  private static String imageDigest(ContainerVmSpec vm) {
    return vm.imageId().substring(vm.imageId().indexOf(':') + 1);
  }
}
