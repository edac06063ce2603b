package dev.berth.portlayer.contract;

import static dev.berth.portlayer.contract.Fixture.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.Group;
import dev.berth.portlayer.compute.PowerState;
import dev.berth.portlayer.compute.ProcessState.Exited;
import dev.berth.portlayer.compute.ProcessState.NotStarted;
import dev.berth.portlayer.compute.ProcessState.Reason;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

abstract class PowerContract {
  private final Fixture fixture;

  PowerContract(Fixture fixture) {
    this.fixture = fixture;
  }

  @Test
  @DisplayName("powering on waits until every member is ready, and is idempotent")
  void powerOn() {
    Guest guest = fixture.newGuest();
    Group group = fixture.compute().powerOn(guest.groupId(), fixture.patience());
    ContainerVm member = group.members().getFirst();
    assertEquals(PowerState.ON, member.power());
    assertTrue(member.ready());
    assertInstanceOf(NotStarted.class, member.process());
    assertEquals(group, fixture.compute().powerOn(guest.groupId(), fixture.patience()));
    guest.destroy();
  }

  @Test
  @DisplayName("powering off ends the process, keeps the record, and is idempotent")
  void powerOff() {
    Guest guest = fixture.guest();
    int attempt =
        guest.start(
            ProcessSpecs.shell("trap 'exit 3' TERM; echo ready; while true; do sleep 1; done"));
    guest.awaitLine("ready");
    fixture.compute().powerOff(guest.groupId(), fixture.patience());
    ContainerVm off = guest.observe();
    assertEquals(PowerState.OFF, off.power());
    assertFalse(off.ready());
    Exited exited = guest.exited();
    assertEquals(attempt, exited.attempt());
    assertEquals(3, exited.exitCode());
    fixture.compute().powerOff(guest.groupId(), Duration.ZERO);
    assertEquals(off, guest.observe());
  }

  @Test
  @DisplayName("what is not there is NOT_FOUND")
  void missing() {
    assertRefused(
        Code.NOT_FOUND, () -> fixture.compute().powerOn("no-such-group", fixture.patience()));
    assertRefused(Code.NOT_FOUND, () -> fixture.compute().powerOff("no-such-group", Duration.ZERO));
    assertTrue(fixture.compute().find("no-such-group").isEmpty());
  }

  @Test
  @DisplayName("nothing starts in, and nothing is written to, a VM that is powered off")
  void off() {
    Guest guest = fixture.newGuest();
    assertRefused(Code.FAILED_PRECONDITION, () -> guest.start(ProcessSpecs.of("true")));
    assertRefused(
        Code.FAILED_PRECONDITION,
        () -> fixture.compute().writeVolume(guest.id(), MountContract.files("config", "a", "1")));
    assertRefused(Code.FAILED_PRECONDITION, () -> guest.exec("", "true"));
    assertEquals(List.of(), List.copyOf(guest.observe().history()));
    guest.destroy();
  }

  @Test
  @DisplayName("a VM that is lost takes its process with it: exit code 137, VM_LOST")
  void lost() {
    Guest guest = fixture.guest();
    int attempt = guest.start(ProcessSpecs.of("sleep", "600"));
    fixture.environment().loseVm(guest.id());
    Exited exited = guest.awaitExit();
    assertEquals(137, exited.exitCode());
    assertEquals(Reason.VM_LOST, exited.reason());
    assertEquals(attempt, exited.attempt());
    assertFalse(exited.finishedAt().isBefore(exited.startedAt()));
    fixture.await().until(() -> guest.observe().power() == PowerState.OFF);
  }

  @Test
  @DisplayName(
      "after a loss the VM is powered on again and takes the next attempt, not the lost one")
  void afterLoss() {
    Guest guest = fixture.guest();
    int attempt = guest.start(ProcessSpecs.shell("echo before; sleep 600"));
    guest.awaitLine("before");
    fixture.environment().loseVm(guest.id());
    Exited lost = guest.awaitExit();
    fixture.compute().powerOn(guest.groupId(), fixture.patience());
    ContainerVm same =
        fixture
            .compute()
            .startProcess(guest.id(), attempt, ProcessSpecs.of("echo", "again").build());
    assertEquals(lost, same.process());
    assertEquals(0, guest.run(ProcessSpecs.of("echo", "after")).exitCode());
    assertEquals(List.of("after"), guest.lines());
    assertEquals(List.of("before"), guest.lines(Guest.attempt(attempt)));
    assertEquals(lost, guest.observe().history().getLast());
  }

  @Test
  @DisplayName("destroying ends a running VM at once")
  void destroyRunning() {
    Guest guest = fixture.newGuest();
    fixture.compute().powerOn(guest.groupId(), fixture.patience());
    guest.start(ProcessSpecs.of("sleep", "600"));
    fixture.compute().destroy(guest.groupId());
    assertTrue(fixture.compute().find(guest.groupId()).isEmpty());
    guest.destroy();
  }
}
