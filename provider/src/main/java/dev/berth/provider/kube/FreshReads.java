package dev.berth.provider.kube;

import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Shares one read among everybody who may use its answer: whoever comes while a read is under way
 * waits for the next one, because the answer of the first may be older than what he has seen
 * already. A thousand pods that start with one ConfigMap cost a few reads, and none of them gets a
 * content older than its pod. What cannot change is read for each pod once, at its start: a pod
 * that comes after an object of the same name was made anew gets the new one.
 */
final class FreshReads<K, V> {
  private static final long FORGET_NANOS = 600_000_000_000L;

  private final Map<K, Slot<V>> slots = new ConcurrentHashMap<>();
  private final Predicate<V> immutable;

  private static final class Slot<V> {
    private final ReentrantLock lock = new ReentrantLock();
    private long startedAt;
    private volatile long usedAt = System.nanoTime();
    private boolean read;
    private Optional<V> value = Optional.empty();

    /** The pods that have the value, as long as it cannot change. */
    private final Set<String> settled = new HashSet<>();
  }

  /**
   * @param immutable whether a value can never be another
   */
  FreshReads(Predicate<V> immutable) {
    this.immutable = immutable;
  }

  /**
   * The value as it was at {@code notBefore} or later, or an immutable one that the pod got before.
   *
   * @param notBefore of {@link System#nanoTime}
   */
  Optional<V> get(K key, String podUid, long notBefore, Supplier<Optional<V>> read) {
    Slot<V> slot = slots.computeIfAbsent(key, _ -> new Slot<>());
    slot.lock.lock();
    try {
      slot.usedAt = System.nanoTime();
      boolean fresh = slot.read && slot.startedAt - notBefore >= 0;
      if (!fresh && !slot.settled.contains(podUid)) {
        long startedAt = System.nanoTime();
        slot.value = read.get();
        slot.read = true;
        slot.startedAt = startedAt;
      }
      if (slot.value.filter(immutable).isPresent()) {
        slot.settled.add(podUid);
      } else {
        slot.settled.clear();
      }
      return slot.value;
    } finally {
      slot.lock.unlock();
    }
  }

  /** Forgets that a pod ever asked. */
  void forget(String podUid) {
    for (Slot<V> slot : slots.values()) {
      slot.lock.lock();
      try {
        slot.settled.remove(podUid);
      } finally {
        slot.lock.unlock();
      }
    }
  }

  /** Forgets what nobody asked for in the last ten minutes. */
  void forgetUnused() {
    long now = System.nanoTime();
    slots.values().removeIf(slot -> now - slot.usedAt > FORGET_NANOS);
  }
}
