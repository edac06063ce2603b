package dev.berth.portlayer.local;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.GroupSpec;
import dev.berth.portlayer.compute.Placement;
import dev.berth.portlayer.compute.ProcessSpec;
import dev.berth.portlayer.compute.Resources;
import dev.berth.portlayer.contract.ProcessSpecs;
import dev.berth.portlayer.interaction.ExecSpec;
import dev.berth.portlayer.interaction.ProcessSession;
import dev.berth.portlayer.network.NicAttachment;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageRequest;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What two pods can reach of each other and of the host, and that they leave nothing behind. */
@Tag("vm")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PodNetworkTest {
  private static final long MEBIBYTE = 1L << 20;
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  private final LocalTestHost host = new LocalTestHost();
  private final List<NicAttachment> nics = new ArrayList<>();

  @BeforeAll
  void startTwo() {
    Image image =
        host.portLayer()
            .storage()
            .pullImage(new ImageRequest(SquashfsImages.IMAGE, List.of(), PATIENCE));
    List<ContainerVmSpec> members = new ArrayList<>();
    for (String name : List.of("one", "two")) {
      DiskAttachment scratch =
          host.portLayer().storage().createDisk(name, DiskAttachment.Role.SCRATCH, 64 * MEBIBYTE);
      NicAttachment nic = host.portLayer().network().createEndpoint(name, "pods");
      nics.add(nic);
      members.add(
          new ContainerVmSpec(
              name,
              name,
              new Resources(1, 0, 0, 64 * MEBIBYTE, 0),
              image.id(),
              List.of(image.disk(), scratch),
              List.of(nic),
              Map.of()));
    }
    GroupSpec group =
        new GroupSpec("pair", "pair", Placement.anywhereTogether(), members, Map.of());
    host.portLayer().compute().create(group);
    host.portLayer().compute().powerOn("pair", PATIENCE);
    for (String name : List.of("one", "two")) {
      host.portLayer()
          .compute()
          .startProcess(
              name, 0, privileged(ProcessSpecs.shell("exec httpd -f -p 8080 -h /etc").build()));
    }
  }

  @AfterAll
  void stop() {
    host.close();
  }

  @Test
  void aPodReachesAnotherByItsAddress() throws IOException {
    assertEquals(0, exec("one", fetch(nics.getLast().primaryAddress(), 8080)));
  }

  @Test
  void theHostReachesAPod() {
    String reply =
        host.commands.run(
            host.commands.inNetwork(
                List.of("busybox", "wget", "-q", "-O", "-", url(nics.getFirst()))));

    assertEquals("root:x:0:\n", reply);
  }

  @Test
  void theGatewayAnswersItsEchoAndNothingElse() throws IOException {
    String gateway = nics.getFirst().gateway();
    assertEquals(0, exec("one", "ping -c 1 -W 20 " + gateway));
    Process listener = listenOnHost();
    try {
      assertNotEquals(0, exec("one", fetch(gateway, 9090)));
    } finally {
      listener.destroyForcibly();
    }
  }

  @Test
  void aPodCannotSpeakWithAnothersAddress() throws IOException {
    String gateway = nics.getFirst().gateway();
    assertEquals(0, exec("two", "ping -c 1 -W 20 " + gateway));
    String stolen = "10.222.0.77";
    assertEquals(0, exec("two", "ip address add %s/24 dev eth0".formatted(stolen)));
    assertNotEquals(0, exec("two", "ping -c 1 -W 3 -I %s %s".formatted(stolen, gateway)));
  }

  /** Succeeds when something answers; busybox's wget needs a resolver that is not in the image. */
  private static String fetch(String address, int port) {
    return "printf 'GET /group HTTP/1.0\\r\\n\\r\\n' | nc -w 5 %s %d | grep -q HTTP"
        .formatted(address, port);
  }

  /** With raw sockets and the right to change addresses: what a hostile pod would like to have. */
  private static ProcessSpec privileged(ProcessSpec spec) {
    ProcessSpec.Security security = spec.security();
    return new ProcessSpec(
        spec.arguments(),
        spec.environment(),
        spec.workingDirectory(),
        spec.terminal(),
        spec.stdin(),
        spec.stdinOnce(),
        spec.stopSignal(),
        new ProcessSpec.Security(
            security.user(),
            security.supplementaryGroups(),
            security.filesystemGroup(),
            List.of("CAP_NET_RAW", "CAP_NET_ADMIN", "CAP_SETUID", "CAP_SETGID"),
            false,
            false,
            false,
            false,
            List.of(),
            List.of(),
            Map.of()),
        spec.mounts(),
        spec.limits(),
        spec.identity(),
        spec.terminationMessage());
  }

  private static String url(NicAttachment nic) {
    return "http://%s:8080/group".formatted(nic.primaryAddress());
  }

  private Process listenOnHost() throws IOException {
    return new ProcessBuilder(
            host.commands.inNetwork(List.of("busybox", "httpd", "-f", "-p", "9090", "-h", "/etc")))
        .start();
  }

  private int exec(String vm, String script) throws IOException {
    ExecSpec spec = new ExecSpec(List.of("sh", "-c", script), false, false, Optional.empty());
    try (ProcessSession session = host.portLayer().interaction().exec(vm, spec)) {
      session.stdout().readAllBytes();
      session.stderr().readAllBytes();
      return session.awaitExit(PATIENCE).orElseThrow().code();
    }
  }
}
