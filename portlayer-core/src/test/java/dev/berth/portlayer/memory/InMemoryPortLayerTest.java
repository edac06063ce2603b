package dev.berth.portlayer.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.GroupSpec;
import dev.berth.portlayer.compute.Placement;
import dev.berth.portlayer.compute.ProcessSpec;
import dev.berth.portlayer.compute.ProcessState.Exited;
import dev.berth.portlayer.compute.ProcessState.Reason;
import dev.berth.portlayer.compute.ProcessState.Running;
import dev.berth.portlayer.compute.Resources;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageConfiguration;
import dev.berth.portlayer.storage.ImageRequest;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What a test can bring about beyond the contract. */
@DisplayName("The in-memory port layer")
class InMemoryPortLayerTest {
  private final InMemoryPortLayer portLayer = new InMemoryPortLayer();

  @Test
  @DisplayName("runs a program that the image's configuration names until it is stopped")
  void namedProgram() {
    boot("web", "nginx");
    assertInstanceOf(Running.class, start("web", 0, "nginx").process());
    Exited exited =
        assertInstanceOf(
            Exited.class, portLayer.compute().stopProcess("web", Duration.ofSeconds(5)).process());
    assertEquals(143, exited.exitCode());
  }

  @Test
  @DisplayName("cannot start a program nobody knows")
  void unknownProgram() {
    boot("web", "nginx");
    Exited exited = assertInstanceOf(Exited.class, start("web", 0, "no-such-program").process());
    assertEquals(128, exited.exitCode());
    assertEquals(Reason.START_ERROR, exited.reason());
  }

  @Test
  @DisplayName("loses a VM, ends a process and runs out of memory when told to")
  void accidents() {
    boot("web", "nginx");
    start("web", 0, "nginx");
    portLayer.endProcess("web", 7);
    assertEquals(7, exit("web").exitCode());
    start("web", 1, "nginx");
    portLayer.markOutOfMemory("web");
    assertEquals(Reason.OUT_OF_MEMORY, exit("web").reason());
    start("web", 2, "nginx");
    portLayer.loseVm("web");
    assertEquals(Reason.VM_LOST, exit("web").reason());
    assertEquals(137, exit("web").exitCode());
  }

  @Test
  @DisplayName("fails the next call as planned, and no other")
  void plannedFailure() {
    portLayer.addImage("busybox", ImageConfiguration.empty());
    portLayer.failNext(Operation.PULL_IMAGE, PortLayerException.Code.UNAVAILABLE);
    ImageRequest request = new ImageRequest("busybox", List.of(), Duration.ofSeconds(5));
    PortLayerException failure =
        assertThrows(PortLayerException.class, () -> portLayer.storage().pullImage(request));
    assertEquals(PortLayerException.Code.UNAVAILABLE, failure.code());
    portLayer.storage().pullImage(request);
    assertEquals(2, portLayer.calls(Operation.PULL_IMAGE));
  }

  @Test
  @DisplayName("finds everything again after a restart")
  void restart() {
    boot("web", "nginx");
    start("web", 0, "nginx");
    InMemoryPortLayer next = portLayer.restart();
    ContainerVm found = next.compute().list().getFirst().members().getFirst();
    assertInstanceOf(Running.class, found.process());
    next.endProcess("web", 3);
    assertEquals(3, exit("web").exitCode());
  }

  private Exited exit(String id) {
    return assertInstanceOf(
        Exited.class, portLayer.compute().find(id).orElseThrow().members().getFirst().process());
  }

  private void boot(String id, String program) {
    portLayer.addImage(
        program,
        new ImageConfiguration(
            List.of(program), List.of(), List.of(), "", "", Optional.empty(), List.of(), Map.of()));
    Image image =
        portLayer.storage().pullImage(new ImageRequest(program, List.of(), Duration.ofSeconds(5)));
    DiskAttachment scratch =
        portLayer.storage().createDisk(id + "-scratch", DiskAttachment.Role.SCRATCH, 64 << 20);
    ContainerVmSpec spec =
        new ContainerVmSpec(
            id,
            id,
            new Resources(1, 0, 0, 64 << 20, 0),
            image.id(),
            List.of(image.disk(), scratch),
            List.of(),
            Map.of());
    portLayer
        .compute()
        .create(new GroupSpec(id, id, Placement.anywhereTogether(), List.of(spec), Map.of()));
    portLayer.compute().powerOn(id, Duration.ofSeconds(5));
  }

  private ContainerVm start(String id, int attempt, String... arguments) {
    return portLayer
        .compute()
        .startProcess(
            id,
            attempt,
            new ProcessSpec(
                List.of(arguments),
                List.of(),
                "",
                false,
                false,
                false,
                Optional.empty(),
                new ProcessSpec.Security(
                    "",
                    List.of(),
                    OptionalInt.empty(),
                    List.of(),
                    false,
                    true,
                    false,
                    false,
                    List.of(),
                    List.of(),
                    Map.of()),
                List.of(),
                List.of(),
                new ProcessSpec.Identity(id, "", List.of(), List.of(), List.of(), List.of()),
                new ProcessSpec.TerminationMessage("/dev/termination-log", false)));
  }
}
