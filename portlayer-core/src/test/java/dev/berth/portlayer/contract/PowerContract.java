package dev.berth.portlayer.contract;

import static dev.berth.portlayer.contract.Fixture.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.FilesVolume;
import dev.berth.portlayer.compute.Group;
import dev.berth.portlayer.compute.InitialProcess;
import dev.berth.portlayer.compute.PowerState;
import dev.berth.portlayer.compute.ProcessSpec.Mount;
import dev.berth.portlayer.compute.ProcessSpec.Source;
import dev.berth.portlayer.compute.ProcessState.Exited;
import dev.berth.portlayer.compute.ProcessState.NotStarted;
import dev.berth.portlayer.compute.ProcessState.Reason;
import dev.berth.portlayer.compute.ProcessState.Running;
import java.time.Duration;
import java.time.Instant;
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
  @DisplayName("a process given at the power-on is started, once, with its volumes written")
  void initialProcess() {
    Guest guest = fixture.newGuest();
    InitialProcess initial =
        initial(
            guest,
            0,
            ProcessSpecs.shell("cat /config/name; sleep 600")
                .withMounts(new Mount("/config", new Source.Files("config"), true, "")),
            MountContract.files("config", "name", "given\n"));
    Instant before = Instant.now();
    Group group = powerOn(guest, initial);
    ContainerVm member = group.members().getFirst();
    assertEquals(PowerState.ON, member.power());
    assertTrue(member.ready());
    Running running = assertInstanceOf(Running.class, member.process());
    assertEquals(0, running.attempt());
    guest.awaitLine("given");
    assertNearly(before, running.startedAt());
    assertEquals(group, powerOn(guest, initial));
    assertEquals(
        member,
        fixture.compute().startProcess(guest.id(), 0, ProcessSpecs.of("true").build()),
        "the attempt is the same one by whichever way it comes");
    assertEquals("given\n", guest.exec("", "cat", "/config/name").stdout());
    assertRefused(
        Code.FAILED_PRECONDITION, () -> powerOn(guest, initial(guest, 1, ProcessSpecs.of("true"))));
    guest.destroy();
  }

  @Test
  @DisplayName("a process too large to be handed over at the power-on is started all the same")
  void largeInitialProcess() {
    Guest guest = fixture.newGuest();
    powerOn(
        guest,
        initial(
            guest,
            3,
            ProcessSpecs.of("cat", "/config/name")
                .withMounts(new Mount("/config", new Source.Files("config"), true, "")),
            MountContract.files("ballast", "large", "x".repeat(900_000)),
            MountContract.files("config", "name", "given\n")));
    assertEquals(3, guest.awaitExit().attempt());
    assertEquals(List.of("given"), guest.lines());
    guest.destroy();
  }

  @Test
  @DisplayName("a process that cannot be started at the power-on is a START_ERROR, not a failure")
  void initialStartError() {
    Guest guest = fixture.newGuest();
    Group group = powerOn(guest, initial(guest, 0, ProcessSpecs.of("no-such-command")));
    ContainerVm member = group.members().getFirst();
    assertTrue(member.ready());
    Exited exited = assertInstanceOf(Exited.class, member.process());
    assertEquals(Reason.START_ERROR, exited.reason());
    assertTrue(exited.message().contains("no-such-command"), exited.message());
    powerOn(guest, initial(guest, 1, ProcessSpecs.shell("exit 4")));
    assertEquals(4, guest.awaitExit().exitCode(), "a member that is on takes the next attempt");
    assertEquals(exited, guest.observe().history().getLast());
    guest.destroy();
  }

  @Test
  @DisplayName("what is wrong with a process given at the power-on is refused as elsewhere")
  void wrongInitialProcess() {
    Guest guest = fixture.newGuest();
    InitialProcess right = initial(guest, 0, ProcessSpecs.of("true"));
    InitialProcess stranger =
        new InitialProcess("no-such-vm", 0, ProcessSpecs.of("true").build(), List.of());
    assertRefused(Code.NOT_FOUND, () -> powerOn(guest, stranger));
    assertRefused(Code.INVALID_ARGUMENT, () -> powerOn(guest, right, right));
    assertEquals(PowerState.OFF, guest.observe().power());
    InitialProcess escaping =
        initial(guest, 0, ProcessSpecs.of("true"), MountContract.files("config", "../escape", "x"));
    assertRefused(Code.INVALID_ARGUMENT, () -> powerOn(guest, escaping));
    assertInstanceOf(NotStarted.class, guest.observe().process());
    powerOn(guest, right);
    assertEquals(0, guest.awaitExit().exitCode());
    guest.destroy();
  }

  private Group powerOn(Guest guest, InitialProcess... initial) {
    return fixture.compute().powerOn(guest.groupId(), List.of(initial), fixture.patience());
  }

  private static InitialProcess initial(
      Guest guest, int attempt, ProcessSpecs process, FilesVolume... volumes) {
    return new InitialProcess(guest.id(), attempt, process.build(), List.of(volumes));
  }

  /** A guest's clock is the host's within a second, and time went by since. */
  private void assertNearly(Instant before, Instant guests) {
    assertTrue(guests.isAfter(before.minusSeconds(1)), before + " and " + guests);
    assertTrue(guests.isBefore(Instant.now().plusSeconds(1)), Instant.now() + " and " + guests);
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
    assertRefused(
        Code.FAILED_PRECONDITION,
        () -> powerOn(guest, initial(guest, attempt - 1, ProcessSpecs.of("true"))));
    powerOn(guest, initial(guest, attempt, ProcessSpecs.of("echo", "again")));
    assertEquals(lost, guest.observe().process());
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
