package dev.berth.portlayer.interaction;

import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Optional;

/**
 * The streams of an exec or an attach. Streams block and carry back-pressure; each may be used by
 * one thread at a time. The streams fail with {@link java.io.IOException} when the session breaks.
 */
public interface ProcessSession extends AutoCloseable {
  /**
   * Input of the process; closing it is the end of the input. Writes fail when the process was
   * begun without input.
   */
  OutputStream stdin();

  /** Ends when the process has ended and everything it wrote was read. */
  InputStream stdout();

  /** As {@link #stdout}; empty with a terminal. */
  InputStream stderr();

  /** Tells the terminal's new size; ignored without a terminal. */
  void resize(ExecSpec.TerminalSize size);

  /**
   * Waits for the end of the process, whose output must be read meanwhile.
   *
   * @return the exit; empty when the timeout passed first
   * @throws dev.berth.portlayer.PortLayerException UNAVAILABLE when the session broke
   */
  Optional<Exit> awaitExit(Duration timeout);

  /**
   * Ends the session; a process begun by exec is ended with it, one that was attached to goes on.
   * Idempotent.
   */
  @Override
  void close();

  /**
   * How a process ended.
   *
   * @param code 0 to 255; 126 when the command may not be executed, 127 when it was not found
   * @param message why it could not be started; empty when it was
   */
  record Exit(int code, String message) {}
}
