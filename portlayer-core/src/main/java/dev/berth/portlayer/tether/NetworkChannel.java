package dev.berth.portlayer.tether;

import dev.berth.portlayer.PortLayerException;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The fast way to one containerVM's tether, as long as it works. Safe for use by many threads. */
final class NetworkChannel implements AutoCloseable {
  /** For the connection alone; whoever calls waits for it. */
  static final Duration CONNECTION = Duration.ofSeconds(1);

  /** For connection and TLS, with a guest that was connected to and may be slow. */
  private static final Duration SESSION = Duration.ofSeconds(5);

  /** For which one that failed is not tried again. */
  static final Duration PAUSE = Duration.ofMinutes(1);

  private static final Logger LOG = LoggerFactory.getLogger(NetworkChannel.class);

  private final String containerVmId;
  private final Supplier<Optional<Target>> target;
  private final Function<InetSocketAddress, ManagedChannel> dial;
  private final LongSupplier nanoTime;
  private final ReentrantLock lock = new ReentrantLock();

  private @Nullable ManagedChannel channel;

  /** Of the channel, or of the failure. */
  private @Nullable Target last;

  private long failedAt;
  private boolean closed;

  /**
   * Where the guest is, and who it has to be.
   *
   * @param fingerprint of the certificate that it has made for its boot
   */
  record Target(InetSocketAddress address, String fingerprint) {}

  /**
   * @param target asked for at each {@link #open}; empty where there is no such way, or not yet
   * @param dial makes a channel that connects when it is asked to
   * @param nanoTime as {@link System#nanoTime}
   */
  NetworkChannel(
      String containerVmId,
      Supplier<Optional<Target>> target,
      Function<InetSocketAddress, ManagedChannel> dial,
      LongSupplier nanoTime) {
    this.containerVmId = containerVmId;
    this.target = target;
    this.dial = dial;
    this.nanoTime = nanoTime;
  }

  /**
   * A channel with a session that stands, dialled when there is none; empty when there is no such
   * way to the guest, or it does not work.
   *
   * @throws PortLayerException INTERRUPTED
   */
  Optional<ManagedChannel> open() {
    Optional<Target> wanted = target.get();
    if (wanted.isEmpty()) {
      return Optional.empty();
    }
    try {
      lock.lockInterruptibly();
      try {
        return closed ? Optional.empty() : open(wanted.get());
      } finally {
        lock.unlock();
      }
    } catch (InterruptedException e) {
      throw PortLayerException.interrupted("connecting to containerVM " + containerVmId, e);
    }
  }

  private Optional<ManagedChannel> open(Target wanted) throws InterruptedException {
    boolean same = wanted.equals(last);
    if (channel != null && same && channel.getState(false) == ConnectivityState.READY) {
      return Optional.of(channel);
    }
    boolean paused = channel == null && same && nanoTime.getAsLong() - failedAt < PAUSE.toNanos();
    if (paused) {
      return Optional.empty();
    }
    discard();
    last = wanted;
    ManagedChannel dialled = dial.apply(wanted.address());
    boolean ready = false;
    try {
      ready = awaitReady(dialled);
    } finally {
      if (!ready) {
        dialled.shutdownNow();
        failedAt = nanoTime.getAsLong();
      }
    }
    if (!ready) {
      LOG.info(
          "containerVM {} does not answer at its control interface {}: its serial port is used for {} s",
          containerVmId,
          wanted.address(),
          PAUSE.toSeconds());
      return Optional.empty();
    }
    channel = dialled;
    return Optional.of(dialled);
  }

  /** Whether a session came to stand; not, as soon as it failed. */
  private static boolean awaitReady(ManagedChannel dialled) throws InterruptedException {
    long end = System.nanoTime() + SESSION.toNanos();
    ConnectivityState state = dialled.getState(true);
    while (state == ConnectivityState.IDLE || state == ConnectivityState.CONNECTING) {
      CountDownLatch changed = new CountDownLatch(1);
      dialled.notifyWhenStateChanged(state, changed::countDown);
      if (!changed.await(end - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        return false;
      }
      state = dialled.getState(true);
    }
    return state == ConnectivityState.READY;
  }

  /** Ends a session that stands no more, or is with an earlier boot of the guest. */
  private void discard() {
    if (channel != null) {
      channel.shutdownNow();
      channel = null;
    }
  }

  /** Ends the session at once. Idempotent. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      discard();
    } finally {
      lock.unlock();
    }
  }
}
