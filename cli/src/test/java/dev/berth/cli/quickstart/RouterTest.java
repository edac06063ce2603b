package dev.berth.cli.quickstart;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.local.network.HostPort;
import dev.berth.portlayer.local.network.VirtualPort;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With a namespace in the place of a pod's VM. */
@Tag("vm")
@DisplayName("The router of the lab's port groups (needs root)")
class RouterTest {
  private static final String NAME = "berth-r" + ProcessHandle.current().pid() % 1_000_000;
  private static final String POD = NAME + "p";
  private static final int API = 6443;
  private static final int REGISTRY = 5000;

  private final List<Process> services = new ArrayList<>();
  private final Addresses addresses;
  private final HostNetwork network;
  private final String pod;

  RouterTest(@TempDir Path directory) {
    addresses = Addresses.of(directory);
    network = new HostNetwork(NAME, addresses);
    pod = addresses.prefix() + ".0.9";
  }

  @BeforeEach
  void up() {
    network.up();
    VirtualPort kubernetes =
        new VirtualPort(addresses.kubernetesService(), 443, new HostPort(addresses.inside(), API));
    Router router = new Router(network, addresses, Optional.of(kubernetes));
    router.up();
    router.up();
    // As the lab makes it.
    inside("ip link add vb0 type bridge");
    inside("ip address add " + addresses.gateway() + "/20 dev vb0");
    inside("ip link set vb0 up");
    Shell.require("ip", "netns", "add", POD);
    inside("ip link add tap0 type veth peer name eth0 netns " + POD);
    inside("ip link set tap0 master vb0 up");
    pod("ip address add " + pod + "/20 dev eth0");
    pod("ip link set eth0 up");
    pod("ip route add default via " + addresses.gateway());
  }

  @AfterEach
  void down() {
    SupervisedProcess.end(services.stream().map(Process::toHandle).toList());
    new NamedNamespace(POD).delete();
    HostNetwork.down(NAME);
  }

  private void inside(String command) {
    network.run(List.of(command.split(" ", -1)), "");
  }

  private static Shell.Result inPod(String command) {
    List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", POD));
    all.addAll(List.of(command.split(" ", -1)));
    return Shell.run(all, "");
  }

  private static void pod(String command) {
    assertEquals(0, inPod(command).exitCode(), command);
  }

  /** Waits until it listens. */
  private void serve(String address, int port) throws IOException {
    serve(NAME, address, port);
  }

  private void serve(String namespace, String address, int port) throws IOException {
    serve(namespace, address, port, address + ":" + port);
  }

  private void serve(String namespace, String address, int port, String shown) throws IOException {
    List<String> command = new ArrayList<>(List.of("ip", "netns", "exec", namespace));
    command.addAll(
        List.of("python3", "-m", "http.server", Integer.toString(port), "--bind", address));
    services.add(
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start());
    await()
        .atMost(Duration.ofSeconds(20))
        .until(
            () -> Shell.require("ip", "netns", "exec", namespace, "ss", "-Hltn").contains(shown));
  }

  private static boolean podConnects(String address, int port) {
    String open = "exec 3<>/dev/tcp/%s/%d".formatted(address, port);
    return Shell.succeeds("ip", "netns", "exec", POD, "timeout", "2", "bash", "-c", open);
  }

  @Test
  @DisplayName("lets the host connect to a pod, and the pod answer")
  void hostToPod() throws IOException {
    serve(POD, pod, 80);
    String open = "exec 3<>/dev/tcp/%s/80".formatted(pod);
    assertTrue(Shell.succeeds("timeout", "5", "bash", "-c", open));
  }

  @Test
  @DisplayName("lets the control plane connect on the control network, and nobody else there")
  void controlNetwork() throws IOException {
    inside("ip link add control0 type veth peer name eth1 netns " + POD);
    inside("ip -6 address add fe80::1/64 dev control0 nodad");
    inside("ip link set control0 up");
    pod("ip -6 address add fe80::2/64 dev eth1 nodad");
    pod("ip link set eth1 up");
    serve(NAME, "fe80::1%control0", REGISTRY, "[fe80::1]%control0:" + REGISTRY);
    serve(POD, "fe80::2%eth1", REGISTRY, "[fe80::2]%eth1:" + REGISTRY);
    String open = "exec 3<>/dev/tcp/fe80::2%%control0/%d".formatted(REGISTRY);
    assertTrue(Shell.succeeds("ip", "netns", "exec", NAME, "timeout", "5", "bash", "-c", open));
    assertFalse(podConnects("fe80::1%eth1", REGISTRY));
  }

  @Test
  @DisplayName(
      "lets a pod reach the Kubernetes API, by the service's address too, and nothing else inside")
  void apiAlone() throws IOException {
    serve(addresses.inside(), API);
    serve(addresses.inside(), REGISTRY);
    assertTrue(podConnects(addresses.kubernetesService(), 443));
    assertTrue(podConnects(addresses.inside(), API));
    assertFalse(podConnects(addresses.inside(), REGISTRY));
    assertEquals(0, inPod("busybox ping -c 1 -W 5 " + addresses.gateway()).exitCode());
  }
}
