package dev.berth.portlayer.vsphere;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.GroupSpec;
import dev.berth.portlayer.compute.InitialProcess;
import dev.berth.portlayer.compute.Placement;
import dev.berth.portlayer.compute.Resources;
import dev.berth.portlayer.contract.ProcessSpecs;
import dev.berth.portlayer.interaction.ExecSpec;
import dev.berth.portlayer.interaction.ProcessSession;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.storage.DiskAttachment.Role;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageRequest;
import dev.berth.portlayer.vsphere.lab.BootedVch;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A containerVM whose VCH has a control network, in a lab whose VMs boot. */
@Tag("vm")
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class ControlNetworkTest {
  private static final long MEBIBYTE = 1 << 20;
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final String ID = "vm-1";
  private static final String INTERFACE = "bc" + ProcessHandle.current().pid();
  private static final Path DEVICE = Path.of("/sys/class/net", INTERFACE);

  private final BootedVch vch = BootedVch.withControlNetwork(INTERFACE);

  @BeforeEach
  void start() {
    VspherePortLayer layer = vch.portLayer();
    Image image =
        layer.storage().pullImage(new ImageRequest(vch.push("image"), List.of(), PATIENCE));
    DiskAttachment scratch = layer.storage().createDisk("scratch", Role.SCRATCH, 64 * MEBIBYTE);
    ContainerVmSpec vm =
        new ContainerVmSpec(
            ID,
            "guest",
            new Resources(1, 0, 0, 64 * MEBIBYTE, 0),
            image.id(),
            List.of(image.disk(), scratch),
            List.of(layer.network().createEndpoint("nic", "pods")),
            Map.of());
    layer
        .compute()
        .create(
            new GroupSpec(
                "group", "test/pod", Placement.anywhereTogether(), List.of(vm), Map.of()));
    layer
        .compute()
        .powerOn(
            "group",
            List.of(new InitialProcess(ID, 0, ProcessSpecs.shell("sleep 3600").build(), List.of())),
            PATIENCE);
  }

  @AfterEach
  void close() {
    vch.close();
  }

  private ProcessSession exec(String script) {
    return vch.portLayer()
        .interaction()
        .exec(ID, new ExecSpec(List.of("sh", "-c", script), false, true, Optional.empty()));
  }

  private String run(String script) throws IOException {
    try (ProcessSession session = exec(script)) {
      session.stdin().close();
      return new String(session.stdout().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  /** Bytes that the machine has sent or received by its interface. */
  private static long counter(String name) {
    try {
      return Long.parseLong(Files.readString(DEVICE.resolve("statistics/" + name)).strip());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static void set(String state) throws Exception {
    Process ip = new ProcessBuilder("ip", "link", "set", INTERFACE, state).inheritIO().start();
    assertEquals(0, ip.waitFor());
  }

  @Test
  @DisplayName("bulk goes over the control interface, in both directions, and through a migration")
  void bulk() throws IOException {
    int size = 4 * (int) MEBIBYTE;
    long sent = counter("tx_bytes");
    try (ProcessSession session = exec("wc -c")) {
      session.stdin().write(new byte[size]);
      session.stdin().close();
      String count = new String(session.stdout().readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(Integer.toString(size), count.strip());
    }
    assertTrue(counter("tx_bytes") - sent > size);
    long received = counter("rx_bytes");
    try (ProcessSession session = exec("head -c %d /dev/zero".formatted(size))) {
      assertEquals(size, session.stdout().readAllBytes().length);
    }
    assertTrue(counter("rx_bytes") - received > size);
    try (ProcessSession shell = exec("cat");
        BufferedReader output =
            new BufferedReader(new InputStreamReader(shell.stdout(), StandardCharsets.UTF_8))) {
      type(shell, output, "before");
      vch.migrate();
      long after = counter("tx_bytes");
      type(shell, output, "after");
      assertTrue(counter("tx_bytes") > after);
    }
  }

  private static void type(ProcessSession shell, BufferedReader output, String word)
      throws IOException {
    shell.stdin().write((word + "\n").getBytes(StandardCharsets.UTF_8));
    shell.stdin().flush();
    assertEquals(word, output.readLine());
  }

  @Test
  @DisplayName("without the control network everything goes on over the serial port")
  void cut() throws Exception {
    assertEquals("first\n", run("echo first"));
    set("down");
    await()
        .atMost(PATIENCE)
        .ignoreExceptionsMatching(
            e -> e instanceof PortLayerException failure && failure.code() == Code.UNAVAILABLE)
        .until(() -> run("echo second").equals("second\n"));
    set("up");
    long sent = counter("tx_bytes");
    assertEquals("third\n", run("head -c 20000 /dev/zero >/dev/null; echo third"));
    assertTrue(counter("tx_bytes") - sent < 1000, "not so soon after a failure");
  }

  @Test
  @DisplayName("neither the container nor another VM reaches the control interface")
  void outOfReach() throws IOException {
    assertEquals("eth0\n", run("ls /sys/class/net | grep -v 'lo\\|dummy'"));
    String port = "0000:1B5A"; // 7002
    assertEquals("", run("grep -i '%s\\|fe80' /proc/net/tcp6 /proc/net/if_inet6".formatted(port)));
    try (Stream<Path> ports = Files.list(DEVICE.resolve("brif"))) {
      List<Path> isolated = ports.map(path -> path.resolve("isolated")).toList();
      assertEquals(1, isolated.size());
      assertEquals("1", Files.readString(isolated.getFirst()).strip());
    }
  }
}
