package dev.berth.provider.api.stream;

import io.netty.channel.Channel;

/**
 * Stops reading from a connection while its streams hold too much that nobody has taken yet; TCP
 * then holds back the peer. One stalled stream may fill the budget and with it stall its siblings:
 * the Kubernetes peers honour no windows of single streams.
 */
final class ReadBudget {
  private static final long PAUSE_ABOVE = 4 << 20;
  private static final long RESUME_BELOW = 1 << 20;

  private final Channel channel;
  private long buffered;
  private boolean paused;

  ReadBudget(Channel channel) {
    this.channel = channel;
  }

  synchronized void add(long bytes) {
    buffered += bytes;
    if (!paused && buffered > PAUSE_ABOVE) {
      paused = true;
      channel.config().setAutoRead(false);
    }
  }

  synchronized void remove(long bytes) {
    buffered -= bytes;
    if (paused && buffered < RESUME_BELOW) {
      paused = false;
      channel.config().setAutoRead(true);
    }
  }
}
