package dev.berth.portlayer.interaction;

import java.time.Instant;

/**
 * One entry of a log in the CRI format.
 *
 * @param content without the line's end
 * @param partial whether the line goes on in the next entry of the same stream
 */
@SuppressWarnings(
    "ArrayRecordComponent") // a log is read by the hundred megabytes; nobody compares entries
public record LogLine(Instant time, Stream stream, byte[] content, boolean partial) {
  /** Where the process wrote it. */
  public enum Stream {
    STDOUT,
    STDERR
  }
}
