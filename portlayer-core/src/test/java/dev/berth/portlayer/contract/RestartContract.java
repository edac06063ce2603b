package dev.berth.portlayer.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.compute.Group;
import dev.berth.portlayer.compute.ProcessState.Exited;
import dev.berth.portlayer.compute.ProcessState.Reason;
import dev.berth.portlayer.compute.ProcessState.Running;
import dev.berth.portlayer.network.NicAttachment;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.storage.Image;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

abstract class RestartContract {
  private final Fixture fixture;

  RestartContract(Fixture fixture) {
    this.fixture = fixture;
  }

  @Test
  @DisplayName("groups, disks, endpoints and images are found again")
  void records() {
    Guest guest = fixture.newGuest();
    Set<Group> groups = Set.copyOf(fixture.compute().list());
    Set<DiskAttachment> disks = Set.copyOf(fixture.storage().listDisks());
    Set<NicAttachment> endpoints = Set.copyOf(fixture.network().listEndpoints());
    Image image = fixture.image();
    fixture.restart();
    assertEquals(groups, Set.copyOf(fixture.compute().list()));
    assertEquals(disks, Set.copyOf(fixture.storage().listDisks()));
    assertEquals(endpoints, Set.copyOf(fixture.network().listEndpoints()));
    Image found = fixture.storage().findImage(fixture.environment().image()).orElseThrow();
    assertEquals(image.id(), found.id());
    assertEquals(image.repositoryDigests(), found.repositoryDigests());
    assertEquals(image.configuration(), found.configuration());
    guest.destroy();
  }

  @Test
  @DisplayName("a process goes on, is found running, and can be talked to")
  void running() {
    Guest guest = fixture.guest();
    int attempt = guest.start(ProcessSpecs.shell("echo begun; sleep 600"));
    guest.awaitLine("begun");
    Running before = guest.running();
    fixture.restart();
    assertEquals(before, guest.running());
    assertEquals("hello\n", guest.exec("", "echo", "hello").stdout());
    assertEquals(List.of("begun"), guest.lines(Guest.attempt(attempt)));
  }

  @Test
  @DisplayName("an exit and the history before it are known")
  void history() {
    Guest guest = fixture.guest();
    Exited first = guest.run(ProcessSpecs.shell("echo one; exit 1"));
    Exited second = guest.run(ProcessSpecs.shell("echo two; exit 2"));
    fixture.restart();
    assertEquals(second, guest.exited());
    assertEquals(first, guest.observe().history().getLast());
    assertEquals(List.of("one"), guest.lines(Guest.attempt(first.attempt())));
    assertEquals(List.of("two"), guest.lines());
  }

  @Test
  @DisplayName("a process that ends while no control plane runs has its exit code afterwards")
  void endedMeanwhile() {
    Guest guest = fixture.guest();
    guest.start(ProcessSpecs.shell("sleep 1; echo late; exit 9"));
    fixture.restart();
    assertEquals(9, guest.awaitExit().exitCode());
    assertEquals(List.of("late"), guest.lines());
  }

  @Test
  @DisplayName("a VM lost before the restart is found lost")
  void lost() {
    Guest guest = fixture.guest();
    guest.start(ProcessSpecs.of("sleep", "600"));
    fixture.environment().loseVm(guest.id());
    fixture.restart();
    Exited exited = guest.awaitExit();
    assertEquals(Reason.VM_LOST, exited.reason());
    fixture.restart();
    assertEquals(exited, guest.exited());
  }

  @Test
  @DisplayName("an identity created before is the same one")
  void identities() {
    NicAttachment nic = fixture.endpoint();
    DiskAttachment disk =
        fixture
            .storage()
            .createDisk(fixture.name("disk"), DiskAttachment.Role.VOLUME, 16 * Fixture.MEBIBYTE);
    fixture.restart();
    assertEquals(nic, fixture.network().createEndpoint(nic.id(), nic.network()));
    assertEquals(
        disk,
        fixture.storage().createDisk(disk.id(), DiskAttachment.Role.VOLUME, 16 * Fixture.MEBIBYTE));
    fixture.network().deleteEndpoint(nic.id());
    fixture.storage().deleteDisk(disk.id());
    assertTrue(fixture.network().listEndpoints().stream().noneMatch(nic::equals));
  }
}
