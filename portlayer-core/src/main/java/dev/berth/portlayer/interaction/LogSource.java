package dev.berth.portlayer.interaction;

import java.nio.ByteBuffer;
import java.time.Duration;

/**
 * A containerVM's log as bytes that only ever grow: a file, a file on a datastore. Its oldest lines
 * may go, and the others keep their offsets. Used by one thread at a time. Fails with {@link
 * dev.berth.portlayer.PortLayerException}.
 */
public interface LogSource extends AutoCloseable {
  /**
   * Reads what is there at {@code offset}, as much as fits.
   *
   * @return the number of bytes read; 0 at the end
   */
  int read(long offset, ByteBuffer target);

  /** Bytes written so far. */
  long size();

  /** Offset of the oldest line that is still there; grows as lines go, also while they are read. */
  default long start() {
    return 0;
  }

  /**
   * Waits until the log is longer than {@code size}, or something happened that may have ended its
   * attempt. May return early.
   *
   * @return whether it is longer now
   */
  boolean awaitGrowth(long size, Duration timeout);

  @Override
  default void close() {}
}
