package dev.berth.cli.quickstart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("vm")
@DisplayName("The installation's network (needs root)")
class HostNetworkTest {
  private static final String NAME = "berth-t" + ProcessHandle.current().pid() % 1_000_000;

  @TempDir private Path directory = Path.of("");

  @AfterEach
  void down() {
    HostNetwork.down(NAME);
  }

  @Test
  @DisplayName("connects host and namespace, and nothing is left of it afterwards")
  void upAndDown() {
    Addresses addresses = Addresses.of(directory);
    HostNetwork network = new HostNetwork(NAME, addresses);
    network.up();
    network.up();
    assertTrue(new NamedNamespace(NAME).exists());
    // Nobody listens there: the refusal shows that the way there and back is open.
    assertThrows(ConnectException.class, () -> connect(addresses.inside()));
    assertTrue(traces(addresses).stream().anyMatch(line -> line.contains(NAME)));
    HostNetwork.down(NAME);
    HostNetwork.down(NAME);
    assertEquals(List.of(), traces(addresses));
  }

  @Test
  @DisplayName("lets nothing inside reach the host's services")
  void hostIsClosed() throws IOException {
    Addresses addresses = Addresses.of(directory);
    HostNetwork network = new HostNetwork(NAME, addresses);
    network.up();
    try (ServerSocket service = new ServerSocket()) {
      service.bind(new InetSocketAddress(InetAddress.ofLiteral(addresses.host()), 0));
      String open = "exec 3<>/dev/tcp/%s/%d".formatted(addresses.host(), service.getLocalPort());
      assertEquals(0, Shell.run("timeout", "5", "bash", "-c", open).exitCode());
      List<String> inside = network.inside(List.of("timeout", "2", "bash", "-c", open));
      assertEquals(124, Shell.run(inside, "").exitCode());
    }
  }

  @Test
  @DisplayName("does not take the addresses that another installation has by now")
  void taken() {
    Addresses addresses = Addresses.of(directory);
    new HostNetwork(NAME, addresses).up();
    HostNetwork second = new HostNetwork(NAME + "2", addresses);
    QuickstartException refused = assertThrows(QuickstartException.class, second::up);
    assertTrue(String.valueOf(refused.getMessage()).contains("dev " + NAME), refused::toString);
    assertFalse(new NamedNamespace(NAME + "2").exists());
  }

  private static void connect(String address) throws IOException {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.ofLiteral(address), 9), 5_000);
    }
  }

  @Test
  @DisplayName("is taken down from half a set-up, too")
  void halfSetUp() {
    Addresses addresses = Addresses.of(directory);
    Shell.require("ip", "netns", "add", NAME);
    Shell.require("nft", "add", "table", "inet", NAME);
    HostNetwork.down(NAME);
    assertEquals(List.of(), traces(addresses));
  }

  /** Lines that tell of this installation, of everything that it may leave on the host. */
  private static List<String> traces(Addresses addresses) {
    String all =
        String.join(
            "\n",
            Shell.require("ip", "netns", "list"),
            Shell.require("ip", "-o", "link", "show"),
            Shell.require("ip", "route", "show", "table", "all"),
            Shell.require("nft", "list", "tables"));
    return all.lines()
        .filter(line -> line.contains(NAME) || line.contains(addresses.prefix() + "."))
        .toList();
  }
}
