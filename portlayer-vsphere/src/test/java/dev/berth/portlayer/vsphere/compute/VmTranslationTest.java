package dev.berth.portlayer.vsphere.compute;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.GroupSpec;
import dev.berth.portlayer.compute.Placement;
import dev.berth.portlayer.compute.Resources;
import dev.berth.portlayer.network.NicAttachment;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.storage.DiskAttachment.Role;
import dev.berth.portlayer.vsphere.client.DatastorePath;
import dev.berth.portlayer.vsphere.compute.VmRecord.GroupRecord;
import dev.berth.portlayer.vsphere.storage.Vmdk;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.VirtualDevices.ParaVirtualSCSIController;
import dev.berth.portlayer.vsphere.vim.VirtualDevices.VirtualDevice;
import dev.berth.portlayer.vsphere.vim.VirtualDevices.VirtualDisk;
import dev.berth.portlayer.vsphere.vim.VirtualDevices.VirtualDiskFlatVer2BackingInfo;
import dev.berth.portlayer.vsphere.vim.VirtualDevices.VirtualEthernetCardNetworkBackingInfo;
import dev.berth.portlayer.vsphere.vim.VirtualDevices.VirtualVmxnet3;
import dev.berth.portlayer.vsphere.vim.VmSpecs.OptionValue;
import dev.berth.portlayer.vsphere.vim.VmSpecs.VirtualDeviceConfigSpec;
import dev.berth.portlayer.vsphere.vim.VmSpecs.VirtualMachineConfigSpec;
import java.net.URI;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class VmTranslationTest {
  private static final long MEBIBYTE = 1 << 20;
  private static final String IMAGE = "sha256:" + "a".repeat(64);
  private static final VchSettings VCH =
      new VchSettings(
          "vch1",
          reference("Datacenter"),
          reference("ClusterComputeResource"),
          reference("ResourcePool"),
          reference("Folder"),
          new DatastorePath("ds1", "berth/vch1"),
          new DatastorePath("ds1", "berth/bootstrap.iso"),
          "PEM of the authority",
          URI.create("tcp://10.0.0.5:2377"),
          2000,
          30,
          Map.of("pods", new VirtualEthernetCardNetworkBackingInfo("VM Network", null)),
          Optional.of(new VirtualEthernetCardNetworkBackingInfo("Control", null)));

  private static ManagedObjectReference reference(String type) {
    return new ManagedObjectReference(type, type + "-1");
  }

  private static ContainerVmSpec vm(String id, Resources resources, int volumes) {
    List<DiskAttachment> disks = new ArrayList<>();
    disks.add(new DiskAttachment("image-a", Role.IMAGE, "[ds1] images/a/disk.vmdk", true));
    disks.add(new DiskAttachment(id + "-s", Role.SCRATCH, "[ds1] disks/s/disk.vmdk", false));
    for (int i = 0; i < volumes; i++) {
      disks.add(
          new DiskAttachment(id + "-v" + i, Role.VOLUME, "[ds1] v" + i + "/disk.vmdk", false));
    }
    return new ContainerVmSpec(
        id,
        "web",
        resources,
        IMAGE,
        disks,
        List.of(
            new NicAttachment(
                id + "-n", "pods", "00:50:56:00:00:01", List.of("10.9.0.2/24"), "10.9.0.1", 1500)),
        Map.of("berth.dev/container", "app"));
  }

  private static VmRecord record(String groupName, ContainerVmSpec vm) {
    return record(groupName, vm, Optional.empty());
  }

  private static VmRecord record(
      String groupName, ContainerVmSpec vm, Optional<String> controlMac) {
    GroupSpec spec =
        new GroupSpec(
            "pod-1",
            groupName,
            Placement.anywhereTogether(),
            List.of(vm),
            Map.of("berth.dev/pod", "web-1"));
    return new VmRecord(
        GroupRecord.of("vch1", spec, Instant.parse("2026-01-02T03:04:05.678Z")), vm, controlMac);
  }

  private static VirtualMachineConfigSpec translate(VmRecord record) {
    return new VmTranslation(VCH).translate(record);
  }

  private static VirtualMachineConfigSpec translate(Resources resources) {
    return translate(record("default/web", vm("vm-1", resources, 0)));
  }

  private static <T extends VirtualDevice> List<T> devices(
      VirtualMachineConfigSpec spec, Class<T> type) {
    return spec.deviceChange().stream()
        .map(VirtualDeviceConfigSpec::device)
        .filter(type::isInstance)
        .map(type::cast)
        .toList();
  }

  private static String option(VirtualMachineConfigSpec spec, String key) {
    return spec.extraConfig().stream()
        .filter(option -> option.key().equals(key))
        .map(OptionValue::value)
        .map(Objects::requireNonNull)
        .findFirst()
        .orElseThrow()
        .as(String.class);
  }

  @ParameterizedTest
  @CsvSource({
    "0,    0,   0,     -1,   normal, 0",
    "250,  0,   500,   -1,   custom, 250",
    "250,  500, 500,   1000, custom, 250",
    "1,    1,   2,     2,    custom, 2",
    "4000, 0,   8000,  -1,   custom, 4000"
  })
  void cpuIsInMegahertz(
      int request, int limit, long reservation, long most, String level, int shares) {
    var cpu =
        Objects.requireNonNull(
            translate(new Resources(2, limit, request, 64 * MEBIBYTE, 0)).cpuAllocation());

    assertEquals(reservation, cpu.reservation());
    assertEquals(most, cpu.limit());
    assertEquals(level, Objects.requireNonNull(cpu.shares()).level());
    assertEquals(shares, cpu.shares().shares());
  }

  @ParameterizedTest
  @CsvSource({
    "67108864, 0, 96, 0",
    "67108865, 1, 96, 31",
    "104857600, 104857600, 132, 130",
    "1, 1, 32, 31"
  })
  void memoryHasRoomForTheGuestItself(long limit, long request, long size, long reservation) {
    VirtualMachineConfigSpec spec = translate(new Resources(1, 0, 0, limit, request));

    assertEquals(size, spec.memoryMB());
    assertEquals(reservation, Objects.requireNonNull(spec.memoryAllocation()).reservation());
    assertEquals(-1, spec.memoryAllocation().limit());
  }

  @Test
  void disksAreInOrderAndLeaveTheControllersUnitFree() {
    VirtualMachineConfigSpec spec =
        translate(record("default/web", vm("vm-1", new Resources(1, 0, 0, 1, 0), 20)));
    List<VirtualDisk> disks = devices(spec, VirtualDisk.class);

    assertEquals(22, disks.size());
    assertEquals(2, devices(spec, ParaVirtualSCSIController.class).size());
    Set<String> places = new HashSet<>();
    for (VirtualDisk disk : disks) {
      assertNotEquals(7, disk.unitNumber());
      assertTrue(places.add(disk.controllerKey() + ":" + disk.unitNumber()));
    }
    assertEquals(
        spec.deviceChange().size(),
        spec.deviceChange().stream().map(change -> change.device().key()).distinct().count());
    var image = (VirtualDiskFlatVer2BackingInfo) Objects.requireNonNull(disks.get(0).backing());
    assertEquals("[ds1] images/a/disk.vmdk", image.fileName());
    assertEquals("independent_nonpersistent", image.diskMode());
    var scratch = (VirtualDiskFlatVer2BackingInfo) Objects.requireNonNull(disks.get(1).backing());
    assertEquals("independent_persistent", scratch.diskMode());
    assertTrue(
        spec.deviceChange().stream().allMatch(change -> change.fileOperation() == null),
        "no disk is made with the VM");
  }

  @Test
  void aVmWithMoreDisksThanItCanHaveIsRefused() {
    VmRecord record = record("a", vm("vm-1", new Resources(1, 0, 0, 1, 0), 59));

    PortLayerException e = assertThrows(PortLayerException.class, () -> translate(record));
    assertEquals(Code.UNSUPPORTED, e.code());
  }

  @Test
  void interfacesKeepTheirAddress() {
    VirtualMachineConfigSpec spec = translate(new Resources(1, 0, 0, 1, 0));

    VirtualVmxnet3 nic = devices(spec, VirtualVmxnet3.class).getFirst();
    assertEquals("manual", nic.addressType());
    assertEquals("00:50:56:00:00:01", nic.macAddress());
  }

  @Test
  void theControlInterfaceIsAnotherOneThatTheGuestIsToldOf() {
    ContainerVmSpec vm = vm("vm-1", new Resources(1, 0, 0, 1, 0), 0);
    VmRecord record = record("a", vm, Optional.of("00:50:56:00:00:02"));
    VirtualMachineConfigSpec spec = translate(record);

    List<VirtualVmxnet3> nics = devices(spec, VirtualVmxnet3.class);
    assertEquals(
        List.of("00:50:56:00:00:01", "00:50:56:00:00:02"),
        nics.stream().map(VirtualVmxnet3::macAddress).toList());
    assertEquals(
        new VirtualEthernetCardNetworkBackingInfo("Control", null), nics.getLast().backing());
    assertEquals(2, nics.stream().map(VirtualVmxnet3::key).distinct().count());
    assertEquals("00:50:56:00:00:02", config(spec).path("controlMac").asString());
    assertEquals(1, config(spec).path("interfaces").size());
    assertEquals(Optional.of(record), VmRecord.parse("vch1", spec.extraConfig()));
  }

  private static JsonNode config(VirtualMachineConfigSpec spec) {
    return JsonMapper.shared().readTree(option(spec, "guestinfo.berth./config"));
  }

  @Test
  void theGuestIsToldWhatItNeedsAndNoSecret() {
    VirtualMachineConfigSpec spec = translate(new Resources(1, 0, 0, 1, 0));
    JsonNode config = config(spec);

    assertEquals("", config.path("controlMac").asString());
    assertEquals("vm-1", config.path("id").asString());
    assertEquals("PEM of the authority", config.path("identity").path("authority").asString());
    assertFalse(config.path("identity").has("key"));
    assertEquals(
        List.of(Vmdk.uuid("a".repeat(64)), Vmdk.uuid("vm-1-s")),
        config.path("disks").findValuesAsString("serial"));
    assertEquals(List.of("image", "scratch"), config.path("disks").findValuesAsString("role"));
    assertEquals("10.9.0.2/24", config.at("/interfaces/0/addresses/0").asString());
    assertEquals("TRUE", option(spec, "disk.EnableUUID"));
  }

  @Test
  void theStateOfRecordComesBackFromTheVm() {
    VmRecord record = record("default/web", vm("vm-1", new Resources(1, 0, 0, 1, 0), 1));
    List<OptionValue> extraConfig = translate(record).extraConfig();

    assertEquals(Optional.of(record), VmRecord.parse("vch1", extraConfig));
    assertEquals(Optional.empty(), VmRecord.parse("another", extraConfig));
    assertEquals(Optional.empty(), VmRecord.parse("vch1", List.of()));
    assertEquals(
        Optional.empty(),
        VmRecord.parse(
            "vch1",
            List.of(new OptionValue("berth.group", "{}"), new OptionValue("berth.vm", "no"))));
  }

  @Test
  void anAdministratorKnowsWhatItIs() {
    VirtualMachineConfigSpec spec =
        translate(record("default/web", vm("vm-1", new Resources(1, 500, 0, MEBIBYTE, 0), 0)));

    String name = Objects.requireNonNull(spec.name());
    assertTrue(name.matches("default-web-[0-9a-f]{10}"), name);
    String notes = Objects.requireNonNull(spec.annotation());
    for (String part :
        List.of("vch1", "default/web (pod-1)", "berth.dev/container: app", IMAGE, "10.9.0.2/24")) {
      assertTrue(notes.contains(part), notes);
    }
    assertTrue(notes.contains("limits: 1 MiB, 0.500 CPUs\n"), notes);
  }

  @Test
  void namesAreShortAndApart() {
    String longName = "namespace/" + "pod".repeat(60);
    String first = Names.vm(record(longName, vm("vm-1", new Resources(1, 0, 0, 1, 0), 0)));
    String second = Names.vm(record(longName, vm("vm-2", new Resources(1, 0, 0, 1, 0), 0)));

    assertEquals(80, first.length());
    assertNotEquals(first, second);
    assertEquals(80, Names.rule("vch1", "pod-1", longName).length());
  }
}
