package dev.berth.portlayer.contract;

import static dev.berth.portlayer.contract.Fixture.LONG;
import static dev.berth.portlayer.contract.Fixture.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.ProcessState.Exited;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

abstract class StopContract {
  private static final ProcessSpecs OBEDIENT =
      ProcessSpecs.shell("trap 'exit 7' TERM; echo ready; while true; do sleep 1; done");
  private static final ProcessSpecs STUBBORN =
      ProcessSpecs.shell("trap '' TERM; echo ready; while true; do sleep 1; done");

  private final Fixture fixture;

  StopContract(Fixture fixture) {
    this.fixture = fixture;
  }

  @Test
  @DisplayName("the process gets the stop signal and time to end by itself")
  void graceful() {
    Guest guest = ready(OBEDIENT);
    Exited exited = stop(guest, LONG);
    assertEquals(7, exited.exitCode());
  }

  @Test
  @DisplayName("after the grace period the process is killed")
  void killed() {
    Guest guest = ready(STUBBORN);
    Exited exited = stop(guest, Duration.ofMillis(300));
    assertEquals(137, exited.exitCode());
    assertEquals(9, exited.signal());
  }

  @Test
  @DisplayName("stopping is idempotent: with no process running the state comes back as it is")
  void idempotent() {
    Guest guest = fixture.guest();
    Exited exited = guest.run(ProcessSpecs.shell("exit 4"));
    assertEquals(exited, stop(guest, LONG));
    assertEquals(exited, stop(guest, Duration.ZERO));
  }

  @Test
  @DisplayName("a concurrent call with a shorter grace period shortens the wait")
  void shortened() throws Exception {
    Guest guest = ready(STUBBORN);
    CompletableFuture<Exited> patient = new CompletableFuture<>();
    Thread.ofVirtual().start(() -> complete(patient, () -> stop(guest, LONG)));
    Exited impatient = stop(guest, Duration.ofMillis(100));
    assertEquals(137, impatient.exitCode());
    assertEquals(impatient, patient.get(fixture.patience().toNanos(), TimeUnit.NANOSECONDS));
  }

  @Test
  @DisplayName("an interrupted call fails with INTERRUPTED and leaves the thread's flag set")
  void interrupted() throws Exception {
    Guest guest = ready(STUBBORN);
    CompletableFuture<Boolean> flag = new CompletableFuture<>();
    Thread caller =
        Thread.ofVirtual()
            .start(
                () ->
                    complete(
                        flag,
                        () -> {
                          assertRefused(Code.INTERRUPTED, () -> stop(guest, LONG));
                          return Thread.currentThread().isInterrupted();
                        }));
    caller.interrupt();
    assertEquals(true, flag.get(fixture.patience().toNanos(), TimeUnit.NANOSECONDS));
    guest.makeReady();
  }

  @Test
  @DisplayName("a containerVM that is not there is NOT_FOUND")
  void missing() {
    assertRefused(Code.NOT_FOUND, () -> fixture.compute().stopProcess("no-such-vm", Duration.ZERO));
    assertRefused(Code.NOT_FOUND, () -> fixture.interaction().signal("no-such-vm", "SIGHUP"));
  }

  @Test
  @DisplayName("a signal reaches the process; an unknown one is INVALID_ARGUMENT")
  void signals() {
    Guest guest =
        ready(ProcessSpecs.shell("trap 'exit 11' HUP; echo ready; while true; do sleep 1; done"));
    assertRefused(
        Code.INVALID_ARGUMENT, () -> fixture.interaction().signal(guest.id(), "SIGNONSENSE"));
    fixture.interaction().signal(guest.id(), "SIGHUP");
    assertEquals(11, guest.awaitExit().exitCode());
    PortLayerException refusal =
        assertRefused(
            Code.FAILED_PRECONDITION, () -> fixture.interaction().signal(guest.id(), "SIGHUP"));
    assertTrue(String.valueOf(refusal.getMessage()).contains(guest.id()));
  }

  private Guest ready(ProcessSpecs process) {
    Guest guest = fixture.guest();
    guest.start(process);
    guest.awaitLine("ready");
    return guest;
  }

  private Exited stop(Guest guest, Duration gracePeriod) {
    ContainerVm stopped = fixture.compute().stopProcess(guest.id(), gracePeriod);
    return assertInstanceOf(Exited.class, stopped.process());
  }

  private interface Call<T> {
    T call() throws Exception;
  }

  /** Hands a thread's result or failure to whoever waits for it. */
  private static <T> void complete(CompletableFuture<T> future, Call<T> call) {
    try {
      future.complete(call.call());
    } catch (Exception | AssertionError e) {
      future.completeExceptionally(e);
    }
  }
}
