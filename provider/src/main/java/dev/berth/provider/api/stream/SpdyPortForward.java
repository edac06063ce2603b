package dev.berth.provider.api.stream;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Port forwarding over SPDY: each connection to a port is a data and an error stream with the same
 * request ID.
 */
public final class SpdyPortForward {
  private static final Logger log = LoggerFactory.getLogger(SpdyPortForward.class);
  private final PortRelay relay;
  private final Duration creationTimeout;

  /** Used on the event loop only. */
  private final Map<String, SpdyStream> unpaired = new HashMap<>();

  /**
   * @param creationTimeout how long half a pair waits for the other
   */
  public SpdyPortForward(PortRelay relay, Duration creationTimeout) {
    this.relay = relay;
    this.creationTimeout = creationTimeout;
  }

  /** Serves until the connection has ended; blocks. */
  public void serve(SpdyConnection connection) {
    try {
      connection.channel().closeFuture().await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      connection.close();
    }
    relay.close();
  }

  /** Takes a new stream on the event loop; false refuses it. */
  public boolean accept(SpdyStream stream) {
    String type = stream.header("streamType").orElse("");
    int port = port(stream);
    if (port == 0 || !(type.equals("data") || type.equals("error"))) {
      log.debug("A port-forward stream of type '{}' without a fit port was refused", type);
      return false;
    }
    String request = requestId(stream, type);
    SpdyStream other = unpaired.remove(request);
    if (other == null) {
      unpaired.put(request, stream);
      expire(request, stream);
      return true;
    }
    boolean isData = type.equals("data");
    SpdyStream data = isData ? stream : other;
    SpdyStream error = isData ? other : stream;
    if (data.header("streamType").equals(error.header("streamType"))) {
      unpaired.put(request, other);
      return false;
    }
    Thread.ofVirtual().name("kubelet-api-forward").start(() -> forward(port, data, error));
    return true;
  }

  private void expire(String request, SpdyStream stream) {
    var _ =
        stream
            .connection()
            .channel()
            .eventLoop()
            .schedule(
                () -> {
                  if (unpaired.remove(request, stream)) {
                    stream.reset();
                  }
                },
                creationTimeout.toMillis(),
                TimeUnit.MILLISECONDS);
  }

  private static int port(SpdyStream stream) {
    try {
      int port = Integer.parseInt(stream.header("port").orElse(""));
      return port > 0 && port <= PortRelay.MAXIMUM_PORT ? port : 0;
    } catch (NumberFormatException e) {
      return 0;
    }
  }

  /** Clients of old name no request: they open the error stream and then the data stream. */
  private static String requestId(SpdyStream stream, String type) {
    return stream
        .header("requestID")
        .orElseGet(() -> Integer.toString(type.equals("error") ? stream.id() : stream.id() - 2));
  }

  private void forward(int port, SpdyStream data, SpdyStream error) {
    end(data, error, relay.relay(port, data.input(), data.output()));
  }

  private static void end(SpdyStream data, SpdyStream error, String message) {
    try {
      data.input().close();
      error.output().write(message.getBytes(StandardCharsets.UTF_8));
      error.output().close();
      data.output().close();
    } catch (IOException e) {
      log.debug("A forwarded connection ended without its client: {}", e.getMessage());
    }
  }
}
