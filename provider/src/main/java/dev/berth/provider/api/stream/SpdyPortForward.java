package dev.berth.provider.api.stream;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.interaction.ProcessSession;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Port forwarding over SPDY: each connection to a port is a data and an error stream with the same
 * request ID.
 */
public final class SpdyPortForward {
  private static final Logger log = LoggerFactory.getLogger(SpdyPortForward.class);
  private static final int MAXIMUM_PORT = 65535;

  private final IntFunction<ProcessSession> opener;
  private final String description;
  private final Duration creationTimeout;

  /** Used on the event loop only. */
  private final Map<String, SpdyStream> unpaired = new HashMap<>();

  private final Set<ProcessSession> sessions = ConcurrentHashMap.newKeySet();

  /**
   * @param opener connects to a port; may throw any unchecked exception, whose message the client
   *     gets
   * @param description of the pod, for errors
   * @param creationTimeout how long half a pair waits for the other
   */
  public SpdyPortForward(
      IntFunction<ProcessSession> opener, String description, Duration creationTimeout) {
    this.opener = opener;
    this.description = description;
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
    sessions.forEach(ProcessSession::close);
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
      return port > 0 && port <= MAXIMUM_PORT ? port : 0;
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
    String failure = "";
    try (ProcessSession session = opener.apply(port)) {
      sessions.add(session);
      try {
        failure = relay(session, data);
      } finally {
        sessions.remove(session);
      }
    } catch (RuntimeException e) {
      log.debug("Forwarding port {} to {} failed", port, description, e);
      failure = String.valueOf(e.getMessage());
    }
    end(data, error, failure.isEmpty() ? "" : message(port, failure));
  }

  private String message(int port, String failure) {
    return "error forwarding port %d to %s: %s".formatted(port, description, failure);
  }

  private static String relay(ProcessSession session, SpdyStream data) {
    Thread.ofVirtual()
        .name("kubelet-api-forward-input")
        .start(() -> copyInput(data.input(), session));
    try (OutputStream output = data.output()) {
      session.stdout().transferTo(output);
      return session
          .awaitExit(Duration.ofSeconds(1))
          .filter(exit -> exit.code() != 0)
          .map(ProcessSession.Exit::message)
          .orElse("");
    } catch (IOException | PortLayerException e) {
      return String.valueOf(e.getMessage());
    }
  }

  /** The end of the client's data closes one direction; its loss closes both. */
  private static void copyInput(InputStream input, ProcessSession session) {
    try (OutputStream target = session.stdin()) {
      byte[] buffer = new byte[32 * 1024];
      for (int count = input.read(buffer); count >= 0; count = input.read(buffer)) {
        target.write(buffer, 0, count);
        target.flush();
      }
    } catch (IOException e) {
      log.debug("A forwarded connection lost its client: {}", e.getMessage());
      session.close();
    }
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
