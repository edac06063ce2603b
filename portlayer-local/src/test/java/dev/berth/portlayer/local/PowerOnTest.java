package dev.berth.portlayer.local;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.GroupSpec;
import dev.berth.portlayer.compute.InitialProcess;
import dev.berth.portlayer.compute.Placement;
import dev.berth.portlayer.compute.ProcessSpec;
import dev.berth.portlayer.compute.ProcessState;
import dev.berth.portlayer.compute.Resources;
import dev.berth.portlayer.contract.ProcessSpecs;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** By which way a process comes into its VM, which the contract leaves open. */
@Tag("vm")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PowerOnTest {
  private static final long MEBIBYTE = 1L << 20;
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  private final LocalTestHost host = new LocalTestHost();

  @AfterAll
  void close() {
    host.close();
  }

  /** A guest that has no process when it is up says that it is ready for one. */
  @Test
  void aProcessGivenAtThePowerOnNeedsNoSession() throws IOException {
    assertEquals(List.of("RUNNING"), phases(start("small", "sleep 600")));
  }

  @Test
  void aLargeOneIsGivenWhenTheGuestIsReady() throws IOException {
    String script = "sleep 600 # " + "x".repeat(40_000);
    assertEquals(List.of("READY", "RUNNING"), phases(start("large", script)));
  }

  private ContainerVm start(String id, String script) {
    ContainerVmSpec member = member(id);
    host.portLayer()
        .compute()
        .create(new GroupSpec(id, id, Placement.anywhereTogether(), List.of(member), Map.of()));
    ProcessSpec process = ProcessSpecs.shell(script).build();
    ContainerVm started =
        host.portLayer()
            .compute()
            .powerOn(id, List.of(new InitialProcess(id, 0, process, List.of())), PATIENCE)
            .members()
            .getFirst();
    assertInstanceOf(ProcessState.Running.class, started.process());
    return started;
  }

  private ContainerVmSpec member(String id) {
    Image image =
        host.portLayer()
            .storage()
            .pullImage(new ImageRequest(SquashfsImages.IMAGE, List.of(), PATIENCE));
    DiskAttachment scratch =
        host.portLayer().storage().createDisk(id, DiskAttachment.Role.SCRATCH, 64 * MEBIBYTE);
    return new ContainerVmSpec(
        id,
        id,
        new Resources(1, 0, 0, 64 * MEBIBYTE, 0),
        image.id(),
        List.of(image.disk(), scratch),
        List.of(host.portLayer().network().createEndpoint(id, "pods")),
        Map.of());
  }

  private List<String> phases(ContainerVm vm) throws IOException {
    Path group = host.configuration.directory().resolve("vms").resolve(vm.spec().id());
    return Files.readAllLines(group.resolve(vm.spec().id()).resolve("state.jsonl")).stream()
        .map(line -> line.replaceFirst(".*\"phase\":\"([A-Z]+)\".*", "$1"))
        .toList();
  }
}
