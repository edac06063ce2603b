package dev.berth.provider.api.stream;

import io.netty.channel.Channel;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.Semaphore;

/**
 * Writes to a channel from blocking threads. A thread waits while more than a fixed amount is on
 * its way to a slow peer, so a fast process cannot fill the memory.
 */
public final class BoundedWriter {
  private static final int LIMIT = 1 << 20;

  private final Channel channel;
  private final Semaphore room = new Semaphore(LIMIT, true);

  public BoundedWriter(Channel channel) {
    this.channel = channel;
  }

  /**
   * Hands a message to the channel, which takes its ownership.
   *
   * @param bytes its size
   * @throws IOException when the peer has gone or the thread was interrupted
   */
  public void write(Object message, int bytes) throws IOException {
    int permits = Math.min(bytes, LIMIT);
    try {
      room.acquire(permits);
    } catch (InterruptedException e) {
      ReferenceCountUtil.release(message);
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while writing to " + channel.remoteAddress());
    }
    if (!channel.isActive()) {
      room.release(permits);
      ReferenceCountUtil.release(message);
      throw new IOException("the client has closed the connection");
    }
    var _ = channel.writeAndFlush(message).addListener(done -> room.release(permits));
  }
}
