package dev.berth.provider.api.auth;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;

/** Remembers answers for a while; the least recently used ones go first when it is full. */
final class ExpiringCache<K, V> {
  private record Answer<V>(V value, long expiresAt) {}

  private final LongSupplier nanoseconds;
  private final Map<K, Answer<V>> entries;

  ExpiringCache(int capacity, LongSupplier nanoseconds) {
    this.nanoseconds = nanoseconds;
    this.entries =
        new LinkedHashMap<>(16, 0.75f, true) {
          private static final long serialVersionUID = 1L;

          @Override
          protected boolean removeEldestEntry(Map.Entry<K, Answer<V>> eldest) {
            return size() > capacity;
          }
        };
  }

  synchronized Optional<V> get(K key) {
    Answer<V> entry = entries.get(key);
    if (entry == null) {
      return Optional.empty();
    }
    if (entry.expiresAt - nanoseconds.getAsLong() <= 0) {
      entries.remove(key);
      return Optional.empty();
    }
    return Optional.of(entry.value);
  }

  synchronized void put(K key, V value, Duration lifetime) {
    entries.put(key, new Answer<>(value, nanoseconds.getAsLong() + lifetime.toNanos()));
  }
}
