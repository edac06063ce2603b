package dev.berth.portlayer.events;

import dev.berth.portlayer.PortLayerException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * The event stream of a backend, in memory and bounded. A cursor names this log and a position in
 * it, so that one from an earlier process, or one whose events were dropped, is known to have lost
 * events. Safe for use by many threads.
 */
public final class EventLog implements EventService {
  private final String instance = UUID.randomUUID().toString().substring(0, 8);
  private final int capacity;
  private final ArrayDeque<PortLayerEvent> events = new ArrayDeque<>();

  /** The position after the newest event. */
  private long end;

  /**
   * @param capacity how many events are kept for readers that are behind; at least 1
   */
  public EventLog(int capacity) {
    if (capacity < 1) {
      throw new IllegalArgumentException("capacity must be at least 1, but is " + capacity);
    }
    this.capacity = capacity;
  }

  /** Adds an event and wakes the readers. */
  public synchronized void append(PortLayerEvent event) {
    if (events.size() == capacity) {
      events.removeFirst();
    }
    events.addLast(event);
    end++;
    notifyAll();
  }

  @Override
  public synchronized String now() {
    return cursor();
  }

  @Override
  public synchronized EventBatch read(String cursor, Duration timeout) {
    long position = position(cursor);
    if (position < end - events.size()) {
      return new EventBatch(position < 0 ? List.of() : List.copyOf(events), cursor(), true);
    }
    awaitEventAfter(position, timeout);
    return since(position);
  }

  private EventBatch since(long position) {
    long oldest = end - events.size();
    if (position < oldest) {
      return new EventBatch(List.copyOf(events), cursor(), true);
    }
    // A reader is nearly always close to the end: walk back from there, not from the beginning.
    Iterator<PortLayerEvent> newestFirst = events.descendingIterator();
    List<PortLayerEvent> unread =
        Stream.generate(newestFirst::next).limit(end - position).toList().reversed();
    return new EventBatch(unread, cursor(), false);
  }

  private void awaitEventAfter(long position, Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (end <= position) {
      long left = deadline - System.nanoTime();
      if (left <= 0) {
        return;
      }
      try {
        wait(left / 1_000_000, (int) (left % 1_000_000));
      } catch (InterruptedException e) {
        throw PortLayerException.interrupted("waiting for events", e);
      }
    }
  }

  private String cursor() {
    return instance + "." + end;
  }

  /** The position a cursor names, or -1 when it is not one of this log's. */
  private long position(String cursor) {
    if (!cursor.startsWith(instance + ".")) {
      return -1;
    }
    try {
      long position = Long.parseLong(cursor.substring(instance.length() + 1));
      return position <= end ? position : -1;
    } catch (NumberFormatException e) {
      return -1;
    }
  }
}
