package dev.berth.portlayer;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What makes up something that is opened piece by piece. Used by one thread at a time. */
public final class Parts implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Parts.class);

  private final Deque<AutoCloseable> parts = new ArrayDeque<>();

  /** Takes one over, to be closed with the rest; returns it. */
  public <T extends AutoCloseable> T add(T part) {
    parts.push(part);
    return part;
  }

  /**
   * Closes all, last one first; a failure is logged and keeps none from being closed. Idempotent.
   */
  @Override
  public void close() {
    while (!parts.isEmpty()) {
      AutoCloseable part = parts.pop();
      try {
        part.close();
      } catch (Exception e) {
        LOG.warn("Closing {}: {}", part.getClass().getSimpleName(), e.getMessage());
      }
    }
  }
}
