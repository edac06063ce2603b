package dev.berth.provider.api.stream;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Port forwarding over a WebSocket, one connection to each of the ports that the request names: the
 * nth has channel 2n for its data and 2n + 1 for its error, each of which begins with the port in
 * two bytes, the low one first.
 */
public final class WebSocketPortForward {
  public static final String PROTOCOL = "v4.channel.k8s.io";

  private static final Logger log = LoggerFactory.getLogger(WebSocketPortForward.class);

  /** Of the numbers that a channel's one byte can have, 255 means something else elsewhere. */
  private static final int MOST_PORTS = 127;

  private final List<Integer> ports;
  private final PortRelay relay;

  /**
   * @param ports as {@link #ports} gives them
   */
  public WebSocketPortForward(List<Integer> ports, PortRelay relay) {
    this.ports = List.copyOf(ports);
    this.relay = relay;
  }

  /**
   * The ports of a request's parameters, each of which may be a list.
   *
   * @throws IllegalArgumentException whose message the client may have, when there is none or one
   *     is no port
   */
  public static List<Integer> ports(List<String> parameters) {
    List<Integer> ports =
        parameters.stream()
            .flatMap(list -> List.of(list.split(",", -1)).stream())
            .map(WebSocketPortForward::port)
            .toList();
    if (ports.isEmpty() || ports.size() > MOST_PORTS) {
      throw new IllegalArgumentException(
          "query parameter \"port\" is required, at most %d times".formatted(MOST_PORTS));
    }
    return ports;
  }

  private static int port(String text) {
    if (text.matches("[0-9]{1,5}")) {
      int port = Integer.parseInt(text);
      if (port > 0 && port <= PortRelay.MAXIMUM_PORT) {
        return port;
      }
    }
    throw new IllegalArgumentException(
        "query parameter \"port\": \"%s\" is no port".formatted(text));
  }

  Set<Integer> inputChannels() {
    return IntStream.range(0, ports.size())
        .mapToObj(index -> 2 * index)
        .collect(Collectors.toUnmodifiableSet());
  }

  /** Serves until the client has gone or every connection is over; blocks. */
  public void serve(WebSocketConnection connection) {
    connection.onClose(relay::close);
    List<Thread> threads =
        IntStream.range(0, ports.size())
            .mapToObj(
                index ->
                    Thread.ofVirtual()
                        .name("kubelet-api-forward")
                        .start(() -> forward(connection, index)))
            .toList();
    try {
      for (Thread thread : threads) {
        thread.join();
      }
      connection.finish();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      connection.close();
    } catch (IOException e) {
      log.debug("A client that forwarded ports has gone: {}", e.getMessage());
    }
  }

  private void forward(WebSocketConnection connection, int index) {
    int port = ports.get(index);
    byte[] name = {(byte) port, (byte) (port >> 8)};
    try {
      connection.output(2 * index).write(name);
      connection.output(2 * index + 1).write(name);
      String failure = relay.relay(port, connection.input(2 * index), connection.output(2 * index));
      if (!failure.isEmpty()) {
        connection.output(2 * index + 1).write(failure.getBytes(StandardCharsets.UTF_8));
      }
    } catch (IOException e) {
      log.debug("A forwarded connection ended without its client: {}", e.getMessage());
    }
  }
}
