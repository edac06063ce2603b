package dev.berth.provider.kube;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * Shares one read among everybody who may use its answer: whoever comes while a read is under way
 * waits for the next one, because the answer of the first may be older than what he has seen
 * already. A thousand pods that start with one ConfigMap cost a few reads, and none of them gets a
 * content older than its pod.
 */
final class FreshReads<K, V> {
  private static final long FORGET_NANOS = 600_000_000_000L;

  private final Map<K, Slot<V>> slots = new ConcurrentHashMap<>();

  private static final class Slot<V> {
    private final ReentrantLock lock = new ReentrantLock();
    private long startedAt;
    private volatile long usedAt = System.nanoTime();
    private boolean read;
    private Optional<V> value = Optional.empty();
  }

  /**
   * The value as it was at {@code notBefore} or later.
   *
   * @param notBefore of {@link System#nanoTime}
   */
  Optional<V> get(K key, long notBefore, Supplier<Optional<V>> read) {
    Slot<V> slot = slots.computeIfAbsent(key, _ -> new Slot<>());
    slot.lock.lock();
    try {
      slot.usedAt = System.nanoTime();
      if (slot.read && slot.startedAt - notBefore >= 0) {
        return slot.value;
      }
      long startedAt = System.nanoTime();
      Optional<V> value = read.get();
      slot.value = value;
      slot.read = true;
      slot.startedAt = startedAt;
      return value;
    } finally {
      slot.lock.unlock();
    }
  }

  /** Forgets what nobody asked for in the last ten minutes. */
  void forgetUnused() {
    long now = System.nanoTime();
    slots.values().removeIf(slot -> now - slot.usedAt > FORGET_NANOS);
  }
}
