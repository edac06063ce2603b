package dev.berth.provider.kube;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("Objects are read as often as they must be")
class FreshReadsTest {
  private final FreshReads<String, String> reads = new FreshReads<>(value -> value.startsWith("="));
  private Optional<String> value = Optional.of("a");
  private int count;

  private Optional<String> get(String pod, long notBefore) {
    return reads.get(
        "key",
        pod,
        notBefore,
        () -> {
          count++;
          return value;
        });
  }

  private Optional<String> getNow(String pod) {
    return get(pod, System.nanoTime());
  }

  @Test
  @DisplayName("a read serves everybody who came before it")
  void shared() {
    long before = System.nanoTime();
    get("one", before);
    get("two", before);
    assertEquals(1, count);
    value = Optional.of("b");
    assertEquals(Optional.of("b"), getNow("one"));
    assertEquals(2, count);
  }

  @Test
  @DisplayName("an immutable one is read for each pod once")
  void immutable() {
    value = Optional.of("=1");
    getNow("one");
    getNow("one");
    assertEquals(1, count);
    value = Optional.of("=made anew");
    assertEquals(value, getNow("two"));
    getNow("two");
    assertEquals(2, count);
    reads.forget("two");
    getNow("two");
    assertEquals(3, count);
  }

  @Test
  @DisplayName("one made anew that can change is read again by all")
  void mutableAgain() {
    value = Optional.of("=1");
    getNow("one");
    value = Optional.of("a");
    getNow("two");
    value = Optional.of("b");
    assertEquals(value, getNow("one"));
  }
}
