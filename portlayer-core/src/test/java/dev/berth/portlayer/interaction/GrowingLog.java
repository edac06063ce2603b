package dev.berth.portlayer.interaction;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.OptionalInt;

/** A log that a test writes, read in pieces of a size that the test chooses. */
final class GrowingLog implements LogSource, CriLog.Attempts {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final int piece;
  private OptionalInt last = OptionalInt.empty();
  private boolean over = true;
  private int start;

  GrowingLog() {
    this(Integer.MAX_VALUE);
  }

  GrowingLog(int piece) {
    this.piece = piece;
  }

  void append(String text) {
    bytes.writeBytes(text.getBytes(StandardCharsets.UTF_8));
  }

  void append(byte[] more) {
    bytes.writeBytes(more);
  }

  /** Gives up every line before the first one with this text, and what it read as. */
  void forgetBefore(String text) {
    String all = bytes.toString(StandardCharsets.UTF_8);
    start = all.lastIndexOf('\n', all.indexOf(text)) + 1;
    byte[] kept = bytes.toByteArray();
    Arrays.fill(kept, 0, start, (byte) 0);
    bytes.reset();
    bytes.writeBytes(kept);
  }

  void running(int attempt) {
    last = OptionalInt.of(attempt);
    over = false;
  }

  void over(int attempt) {
    last = OptionalInt.of(attempt);
    over = true;
  }

  @Override
  public int read(long offset, ByteBuffer target) {
    int length = (int) Math.min(Math.min(target.remaining(), piece), bytes.size() - offset);
    target.put(bytes.toByteArray(), (int) offset, length);
    return length;
  }

  @Override
  public long size() {
    return bytes.size();
  }

  @Override
  public long start() {
    return start;
  }

  @Override
  public boolean awaitGrowth(long size, Duration timeout) {
    return bytes.size() > size;
  }

  @Override
  public OptionalInt last() {
    return last;
  }

  @Override
  public boolean isOver(int attempt) {
    return over || last.isEmpty() || attempt != last.getAsInt();
  }
}
