package dev.berth.provider.api.stream;

import io.netty.channel.Channel;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** An upgraded connection that carries streams. */
public interface StreamingConnection extends AutoCloseable {
  /** How long a client that has got everything may take to close. */
  Duration LINGER = Duration.ofSeconds(10);

  Channel channel();

  /**
   * Tells the client that nothing more comes.
   *
   * @throws IOException when it has gone
   */
  void sayGoodbye() throws IOException;

  default boolean isOpen() {
    return channel().isActive();
  }

  /** Runs on a virtual thread when the connection has ended, whoever ended it. */
  default void onClose(Runnable action) {
    channel().closeFuture().addListener(closed -> Thread.ofVirtual().start(action));
  }

  /**
   * Lets the client close first, so that nothing of what was written is lost: closing a socket that
   * holds unread input discards what is still on its way out.
   */
  default void finish() throws IOException {
    sayGoodbye();
    try {
      channel().closeFuture().await(LINGER.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    close();
  }

  /** Closes at once. Idempotent. */
  @Override
  default void close() {
    var _ = channel().close();
  }
}
