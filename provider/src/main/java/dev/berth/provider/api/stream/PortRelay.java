package dev.berth.provider.api.stream;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.interaction.ProcessSession;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Connections to one pod's ports, by whichever protocol a client forwards them. */
public final class PortRelay implements AutoCloseable {
  static final int MAXIMUM_PORT = 65535;

  private static final Logger log = LoggerFactory.getLogger(PortRelay.class);

  private final IntFunction<ProcessSession> opener;
  private final String description;
  private final Set<ProcessSession> sessions = ConcurrentHashMap.newKeySet();

  /**
   * @param opener connects to a port; may throw any unchecked exception, whose message the client
   *     gets
   * @param description of the pod, for errors
   */
  public PortRelay(IntFunction<ProcessSession> opener, String description) {
    this.opener = opener;
    this.description = description;
  }

  /**
   * Relays one connection until the pod's end of it is over; blocks.
   *
   * @return what to tell the client of its failure; empty when there was none
   */
  String relay(int port, InputStream input, OutputStream output) {
    String failure = "";
    try (ProcessSession session = opener.apply(port)) {
      sessions.add(session);
      try {
        failure = relay(session, input, output);
      } finally {
        sessions.remove(session);
      }
    } catch (RuntimeException e) {
      log.debug("Forwarding port {} to {} failed", port, description, e);
      failure = String.valueOf(e.getMessage());
    }
    return failure.isEmpty()
        ? ""
        : "error forwarding port %d to %s: %s".formatted(port, description, failure);
  }

  private static String relay(ProcessSession session, InputStream input, OutputStream output) {
    Thread.ofVirtual().name("kubelet-api-forward-input").start(() -> copyInput(input, session));
    try (output) {
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

  /** Ends every connection. Idempotent. */
  @Override
  public void close() {
    sessions.forEach(ProcessSession::close);
  }
}
