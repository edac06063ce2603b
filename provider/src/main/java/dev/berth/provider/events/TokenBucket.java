package dev.berth.provider.events;

/** Lets through a burst, then so many a second. Not for use by several threads. */
final class TokenBucket {
  private final double perSecond;
  private final double burst;
  private double tokens;
  private long filledAt;

  TokenBucket(double perSecond, double burst, long nowNanos) {
    this.perSecond = perSecond;
    this.burst = burst;
    this.tokens = burst;
    this.filledAt = nowNanos;
  }

  boolean take(long nowNanos) {
    tokens = Math.min(burst, tokens + (nowNanos - filledAt) / 1e9 * perSecond);
    filledAt = nowNanos;
    if (tokens < 1) {
      return false;
    }
    tokens -= 1;
    return true;
  }

  /** Nanoseconds until {@link #take} will succeed. */
  long nanosUntilNext() {
    return tokens >= 1 ? 0 : (long) ((1 - tokens) / perSecond * 1e9);
  }
}
