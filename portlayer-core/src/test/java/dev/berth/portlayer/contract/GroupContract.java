package dev.berth.portlayer.contract;

import static dev.berth.portlayer.contract.Fixture.MEBIBYTE;
import static dev.berth.portlayer.contract.Fixture.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.Capacity;
import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.Group;
import dev.berth.portlayer.compute.GroupSpec;
import dev.berth.portlayer.compute.Placement;
import dev.berth.portlayer.compute.PowerState;
import dev.berth.portlayer.compute.ProcessState;
import dev.berth.portlayer.network.NicAttachment;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.storage.Image;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

abstract class GroupContract {
  private final Fixture fixture;

  GroupContract(Fixture fixture) {
    this.fixture = fixture;
  }

  @Test
  @DisplayName("a group is recorded with its labels and powered off")
  void created() {
    GroupSpec spec = fixture.groupSpec(fixture.vmSpec());
    Group group = fixture.compute().create(spec);
    assertEquals(spec, group.spec());
    ContainerVm member = group.members().getFirst();
    assertEquals(PowerState.OFF, member.power());
    assertFalse(member.ready());
    assertInstanceOf(ProcessState.NotStarted.class, member.process());
    assertEquals(Optional.of(group), fixture.compute().find(spec.id()));
    assertTrue(fixture.compute().list().contains(group));
    destroy(spec);
  }

  @Test
  @DisplayName("creating a group again is harmless, another specification is ALREADY_EXISTS")
  void idempotent() {
    GroupSpec spec = fixture.groupSpec(fixture.vmSpec());
    Group first = fixture.compute().create(spec);
    assertEquals(first, fixture.compute().create(spec));
    GroupSpec other =
        new GroupSpec(spec.id(), "other", spec.placement(), spec.members(), spec.labels());
    assertRefused(Code.ALREADY_EXISTS, () -> fixture.compute().create(other));
    destroy(spec);
  }

  @Test
  @DisplayName("a containerVM's id is unique beyond its group: ALREADY_EXISTS")
  void uniqueMembers() {
    GroupSpec spec = fixture.groupSpec(fixture.vmSpec());
    fixture.compute().create(spec);
    GroupSpec thief = fixture.groupSpec(spec.members().getFirst());
    assertRefused(Code.ALREADY_EXISTS, () -> fixture.compute().create(thief));
    assertTrue(fixture.compute().find(thief.id()).isEmpty());
    destroy(spec);
  }

  @Test
  @DisplayName("creation is atomic: when one member is refused, none exists")
  void atomic() {
    ContainerVmSpec good = fixture.vmSpec();
    GroupSpec spec = fixture.groupSpec(good, withDisk(missing(DiskAttachment.Role.SCRATCH)));
    assertRefused(Code.NOT_FOUND, () -> fixture.compute().create(spec));
    assertTrue(fixture.compute().find(spec.id()).isEmpty());
    GroupSpec again = fixture.groupSpec(good);
    fixture.compute().create(again);
    destroy(again);
  }

  @Test
  @DisplayName("a missing disk or endpoint is NOT_FOUND")
  void missingParts() {
    assertRefused(
        Code.NOT_FOUND,
        () ->
            fixture
                .compute()
                .create(fixture.groupSpec(withDisk(missing(DiskAttachment.Role.SCRATCH)))));
    NicAttachment nic = fixture.endpoint();
    fixture.network().deleteEndpoint(nic.id());
    ContainerVmSpec vm = fixture.vmSpec();
    ContainerVmSpec without =
        fixture.vmSpec(fixture.name("vm"), MEBIBYTE, fixture.image(), vm.disks(), List.of(nic));
    assertRefused(Code.NOT_FOUND, () -> fixture.compute().create(fixture.groupSpec(without)));
  }

  @Test
  @DisplayName("what the pool can never hold is RESOURCE_EXHAUSTED, with the sizes in the message")
  void tooLarge() {
    long memory = fixture.compute().capacity().memory() + MEBIBYTE;
    ContainerVmSpec vm = fixture.vmSpec();
    ContainerVmSpec large = fixture.vmSpec(vm.id(), memory, fixture.image(), vm.disks(), vm.nics());
    assertRefused(
        Code.RESOURCE_EXHAUSTED, () -> fixture.compute().create(fixture.groupSpec(large)));
  }

  @Test
  @DisplayName("a group of hosts that cannot be honoured is UNSUPPORTED")
  void hostGroups() {
    GroupSpec spec = fixture.groupSpec(fixture.vmSpec());
    GroupSpec bound =
        new GroupSpec(
            spec.id(),
            spec.name(),
            new Placement(true, Optional.of("no-such-host-group")),
            spec.members(),
            Map.of());
    assertRefused(
        fixture.supports(Feature.HOST_GROUPS) ? Code.NOT_FOUND : Code.UNSUPPORTED,
        () -> fixture.compute().create(bound));
  }

  @Test
  @DisplayName("destroying is idempotent, and disks and endpoints stay")
  void destroyed() {
    GroupSpec spec = fixture.groupSpec(fixture.vmSpec());
    fixture.compute().create(spec);
    fixture.compute().destroy(spec.id());
    fixture.compute().destroy(spec.id());
    assertTrue(fixture.compute().find(spec.id()).isEmpty());
    ContainerVmSpec member = spec.members().getFirst();
    assertTrue(fixture.storage().listDisks().contains(member.disks().getLast()));
    assertTrue(fixture.network().listEndpoints().contains(member.nics().getFirst()));
  }

  @Test
  @DisplayName("the pool tells its capacity, and the host what it is")
  void capacity() {
    Capacity capacity = fixture.compute().capacity();
    assertTrue(capacity.cpuMillis() > 0 && capacity.memory() > 0 && capacity.containerVms() > 0);
    assertTrue(capacity.memoryOverhead() >= 0);
    assertTrue(fixture.compute().host().runtime().contains("://"));
    assertFalse(fixture.compute().host().kernelVersion().isBlank());
  }

  private DiskAttachment missing(DiskAttachment.Role role) {
    DiskAttachment disk = fixture.storage().createDisk(fixture.name("disk"), role, 16 * MEBIBYTE);
    fixture.storage().deleteDisk(disk.id());
    return disk;
  }

  private ContainerVmSpec withDisk(DiskAttachment scratch) {
    Image image = fixture.image();
    return fixture.vmSpec(
        fixture.name("vm"), 64 * MEBIBYTE, image, List.of(image.disk(), scratch), List.of());
  }

  private void destroy(GroupSpec spec) {
    new Guest(fixture, spec).destroy();
  }
}
