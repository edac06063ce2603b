package dev.berth.provider.api.stream;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/** The streams of an exec or an attach, whatever carries them. Those not asked for are empty. */
public interface CommandStreams extends AutoCloseable {
  InputStream stdin();

  OutputStream stdout();

  OutputStream stderr();

  /** New sizes of the terminal, each a JSON object with Width and Height. */
  InputStream resize();

  /** Runs when the connection has ended, whoever ended it. */
  void onClose(Runnable action);

  boolean isOpen();

  /** Ends all streams, the last of them with the outcome, and the connection after it. */
  void finish(CommandStatus status) throws IOException;

  /** Closes the connection at once. Idempotent. */
  @Override
  void close();
}
