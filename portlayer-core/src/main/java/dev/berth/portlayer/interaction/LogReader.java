package dev.berth.portlayer.interaction;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A position in a container's log. Used by one thread at a time. */
public interface LogReader extends AutoCloseable {
  /**
   * The next entry, or null when none came within the timeout; {@link #ended} tells whether more
   * can come.
   *
   * @throws dev.berth.portlayer.PortLayerException CORRUPT when the log is not in the CRI format
   */
  @Nullable LogLine next(Duration timeout);

  /** Whether {@link #next} can never return another entry. */
  boolean ended();

  /** Idempotent. */
  @Override
  void close();
}
