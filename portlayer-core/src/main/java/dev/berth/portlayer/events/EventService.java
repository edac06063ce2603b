package dev.berth.portlayer.events;

import java.time.Duration;

/** One ordered stream of what happened in the VCH. */
public interface EventService {
  /** The position after everything that has happened so far. */
  String now();

  /**
   * Waits until something happened after {@code cursor} and returns it; returns an empty batch when
   * nothing did within {@code timeout}.
   *
   * @param cursor from {@link #now} or {@link EventBatch#cursor}; one that is unknown or too old
   *     gives a batch with {@code lost} set
   */
  EventBatch read(String cursor, Duration timeout);
}
