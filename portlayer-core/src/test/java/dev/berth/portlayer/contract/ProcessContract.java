package dev.berth.portlayer.contract;

import static dev.berth.portlayer.contract.Fixture.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.ProcessState.Exited;
import dev.berth.portlayer.compute.ProcessState.Reason;
import dev.berth.portlayer.compute.ProcessState.Running;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

abstract class ProcessContract {
  private final Fixture fixture;

  ProcessContract(Fixture fixture) {
    this.fixture = fixture;
  }

  @Test
  @DisplayName("a process that ends by itself with 0 is COMPLETED")
  void completed() {
    Exited exited = fixture.guest().run(ProcessSpecs.of("true"));
    assertEquals(0, exited.exitCode());
    assertEquals(0, exited.signal());
    assertEquals(Reason.COMPLETED, exited.reason());
    assertFalse(exited.finishedAt().isBefore(exited.startedAt()));
  }

  @Test
  @DisplayName("another exit code is an ERROR with that code")
  void error() {
    Exited exited = fixture.guest().run(ProcessSpecs.shell("exit 42"));
    assertEquals(42, exited.exitCode());
    assertEquals(Reason.ERROR, exited.reason());
  }

  @Test
  @DisplayName("a process that a signal ended has 128 plus the signal")
  void signalled() {
    Guest guest = fixture.guest();
    guest.start(ProcessSpecs.of("sleep", "600"));
    fixture.interaction().signal(guest.id(), "SIGKILL");
    Exited exited = guest.awaitExit();
    assertEquals(137, exited.exitCode());
    assertEquals(9, exited.signal());
    assertEquals(Reason.ERROR, exited.reason());
  }

  @Test
  @DisplayName(
      "a command that is not found is a START_ERROR with code 128 and a reason, not a failure")
  void commandNotFound() {
    Exited exited = fixture.guest().run(ProcessSpecs.of("no-such-command"));
    assertEquals(128, exited.exitCode());
    assertEquals(Reason.START_ERROR, exited.reason());
    assertTrue(exited.message().contains("no-such-command"), exited.message());
  }

  @Test
  @DisplayName("a user that is not in the image is a START_ERROR that names it")
  void unknownUser() {
    Exited exited = fixture.guest().run(ProcessSpecs.of("true").withUser("no-such-user"));
    assertEquals(Reason.START_ERROR, exited.reason());
    assertTrue(exited.message().contains("no-such-user"), exited.message());
  }

  @Test
  @DisplayName("environment, working directory and user are as specified")
  void surroundings() {
    Guest guest = fixture.guest();
    guest.run(ProcessSpecs.of("printenv", "GREETING").withEnvironment("GREETING=hello, you"));
    assertEquals(List.of("hello, you"), guest.lines());
    guest.run(ProcessSpecs.of("pwd").withWorkingDirectory("/tmp"));
    assertEquals(List.of("/tmp"), guest.lines());
    guest.run(ProcessSpecs.of("id", "-u").withUser("1234"));
    assertEquals(List.of("1234"), guest.lines());
  }

  @Test
  @DisplayName("starting the same attempt again changes nothing")
  void idempotent() {
    Guest guest = fixture.guest();
    int attempt = guest.start(ProcessSpecs.of("sleep", "600"));
    Running before = guest.running();
    ContainerVm again =
        fixture.compute().startProcess(guest.id(), attempt, ProcessSpecs.of("true").build());
    assertEquals(before, again.process());
  }

  @Test
  @DisplayName("starting an attempt that is over gives its end")
  void idempotentAfterEnd() {
    Guest guest = fixture.guest();
    Exited exited = guest.run(ProcessSpecs.shell("exit 5"));
    ContainerVm again =
        fixture
            .compute()
            .startProcess(guest.id(), exited.attempt(), ProcessSpecs.of("true").build());
    assertEquals(exited, again.process());
  }

  @Test
  @DisplayName("another attempt while one runs, or an earlier one, is FAILED_PRECONDITION")
  void conflicts() {
    Guest guest = fixture.guest();
    guest.run(ProcessSpecs.of("true"));
    int attempt = guest.start(ProcessSpecs.of("sleep", "600"));
    assertRefused(Code.FAILED_PRECONDITION, () -> start(guest, attempt + 1));
    assertRefused(Code.FAILED_PRECONDITION, () -> start(guest, attempt - 1));
    guest.makeReady();
    assertRefused(Code.FAILED_PRECONDITION, () -> start(guest, attempt - 1));
  }

  @Test
  @DisplayName("a containerVM that is not there is NOT_FOUND")
  void missing() {
    assertRefused(
        Code.NOT_FOUND,
        () -> fixture.compute().startProcess("no-such-vm", 0, ProcessSpecs.of("true").build()));
  }

  @Test
  @DisplayName("the end of the attempt before stays in the history")
  void history() {
    Guest guest = fixture.guest();
    Exited first = guest.run(ProcessSpecs.shell("exit 1"));
    guest.run(ProcessSpecs.shell("exit 2"));
    assertEquals(first, guest.observe().history().getLast());
    assertEquals(2, guest.exited().exitCode());
  }

  @Test
  @DisplayName("every attempt begins with a fresh scratch layer")
  void freshScratch() {
    Guest guest = fixture.guest();
    guest.run(ProcessSpecs.shell("echo mark > /tmp/mark; cat /tmp/mark"));
    assertEquals(List.of("mark"), guest.lines());
    assertEquals(1, guest.run(ProcessSpecs.shell("cat /tmp/mark 2>/dev/null")).exitCode());
  }

  @Test
  @DisplayName("a read-only root refuses writes")
  void readOnlyRoot() {
    Exited exited =
        fixture.guest().run(ProcessSpecs.shell("echo mark > /mark || exit 9").withReadOnlyRoot());
    assertEquals(9, exited.exitCode());
  }

  @Test
  @DisplayName("the termination message is what the process wrote to its path")
  void terminationMessage() {
    Exited exited =
        fixture
            .guest()
            .run(
                ProcessSpecs.shell("echo gone > " + ProcessSpecs.TERMINATION_MESSAGE + "; exit 1"));
    assertEquals("gone", exited.message().strip());
  }

  @Test
  @DisplayName("the end of the log is the termination message after an error, when asked for")
  void fallbackToLogs() {
    Guest guest = fixture.guest();
    ProcessSpecs fails = ProcessSpecs.shell("echo last words; exit 1").withFallbackToLogs();
    assertEquals("last words", guest.run(fails).message().strip());
    ProcessSpecs succeeds = ProcessSpecs.shell("echo last words; exit 0").withFallbackToLogs();
    assertEquals("", guest.run(succeeds).message());
  }

  private void start(Guest guest, int attempt) {
    fixture.compute().startProcess(guest.id(), attempt, ProcessSpecs.of("true").build());
  }
}
