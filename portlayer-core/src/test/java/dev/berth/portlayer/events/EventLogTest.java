package dev.berth.portlayer.events;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("The event log")
class EventLogTest {
  private final EventLog log = new EventLog(3);

  @Test
  @DisplayName("gives what came after a cursor, in order, as often as asked")
  void resumes() {
    String start = log.now();
    append("a", "b");
    EventBatch batch = log.read(start, Duration.ZERO);
    assertEquals(List.of("a", "b"), subjects(batch));
    assertEquals(batch, log.read(start, Duration.ZERO));
    append("c");
    assertEquals(List.of("c"), subjects(log.read(batch.cursor(), Duration.ZERO)));
  }

  @Test
  @DisplayName("tells a reader that is too far behind that it lost events")
  void lost() {
    String start = log.now();
    append("a", "b", "c");
    assertFalse(log.read(start, Duration.ZERO).lost());
    append("d");
    EventBatch batch = log.read(start, Duration.ZERO);
    assertTrue(batch.lost());
    assertEquals(List.of("b", "c", "d"), subjects(batch));
    assertFalse(log.read(batch.cursor(), Duration.ZERO).lost());
  }

  @Test
  @DisplayName("does not know cursors of another log, of the future, or nonsense")
  void unknown() {
    assertTrue(log.read(new EventLog(3).now(), Duration.ZERO).lost());
    assertTrue(log.read(log.now() + "9", Duration.ZERO).lost());
    assertTrue(log.read("", Duration.ZERO).lost());
  }

  @Test
  @DisplayName("wakes a reader that waits")
  void wakes() throws Exception {
    String start = log.now();
    Thread writer = Thread.ofVirtual().start(() -> append("a"));
    assertEquals(List.of("a"), subjects(log.read(start, Duration.ofSeconds(30))));
    writer.join();
  }

  private void append(String... subjects) {
    for (String subject : subjects) {
      log.append(new PortLayerEvent(Instant.EPOCH, PortLayerEvent.Type.VM_READY, subject, "", ""));
    }
  }

  private static List<String> subjects(EventBatch batch) {
    return batch.events().stream().map(PortLayerEvent::subject).toList();
  }
}
