package dev.berth.portlayer.interaction;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Where the lines asked for lie in a log, found by reading it backwards.
 *
 * @param start offset of the first line wanted
 * @param end offset behind the last line; the log's size when this was found, if the attempt is the
 *     last one in it
 * @param last whether no later attempt follows in the log
 * @param found whether the attempt's first line is there; it may not be yet, right after a start
 */
record AttemptRange(long start, long end, boolean last, boolean found) {
  private static final int BLOCK = 256 * 1024;

  /**
   * @param newest the attempt that started last
   */
  static AttemptRange find(
      LogSource source, int attempt, int newest, boolean over, LogRequest request) {
    while (true) {
      Search search = new Search(source, attempt, newest, over, request);
      AttemptRange range = search.run();
      if (source.start() == search.start) {
        return range;
      }
      // Lines went while they were searched, and may have been read without their content.
    }
  }

  /** Goes through the log from its end, line by line. */
  private static final class Search {
    private final LogSource source;
    private final int attempt;
    private final boolean over;
    private final LogRequest request;
    private final long start;
    private final long size;
    private final CriLine line = new CriLine();

    private long end;

    /** Behind the last line that has its end. */
    private long wholeEnd;

    private boolean last = true;

    /** Start of the tail, once enough lines were counted; meanwhile of the oldest line counted. */
    private long tailStart = -1;

    private long lines;
    private long attemptStart;
    private boolean found;

    /** The attempt to which the lines met now belong. */
    private int current;

    /** Whether an earlier attempt was met. */
    private boolean passed;

    Search(LogSource source, int attempt, int newest, boolean over, LogRequest request) {
      this.source = source;
      this.attempt = attempt;
      this.current = newest;
      this.over = over;
      this.request = request;
      this.start = source.start();
      this.size = source.size();
      this.end = size;
      this.wholeEnd = size;
    }

    AttemptRange run() {
      long blockEnd = size;
      byte[] rest = new byte[0];
      while (blockEnd > start && !found && !passed) {
        long blockStart = Math.max(start, blockEnd - BLOCK);
        byte[] block = read(blockStart, (int) (blockEnd - blockStart), rest);
        int first = firstLine(block, blockStart);
        linesBackwards(block, first, blockStart);
        rest = Arrays.copyOf(block, first);
        blockEnd = blockStart;
      }
      if (start > 0 && !found && !passed && current == attempt) {
        // Its first line is gone, and others of it with that.
        found = true;
        attemptStart = start;
      }
      return found
          ? new AttemptRange(request.tail().isPresent() ? tail() : attemptStart, end, last, true)
          : new AttemptRange(nothing(), end, last, false);
    }

    private long tail() {
      return lines == 0 || request.tail().getAsLong() == 0 ? nothing() : tailStart;
    }

    /** Where to begin when none of the lines that are there are wanted. */
    private long nothing() {
      return over ? end : Math.min(end, wholeEnd);
    }

    private byte[] read(long offset, int length, byte[] rest) {
      ByteBuffer target = ByteBuffer.allocate(length + rest.length).limit(length);
      while (target.hasRemaining() && source.read(offset + target.position(), target) > 0) {}
      target.limit(target.position() + rest.length).put(rest);
      return target.array();
    }

    /**
     * Index of the first line that begins in the block; what precedes it belongs to earlier blocks.
     */
    private int firstLine(byte[] block, long offset) {
      if (offset == start) {
        return 0;
      }
      for (int i = 0; i < block.length; i++) {
        if (block[i] == '\n') {
          return i + 1;
        }
      }
      return block.length;
    }

    private void linesBackwards(byte[] block, int first, long offset) {
      int lineEnd = block.length;
      for (int i = block.length - 1; i >= first - 1 && !found && !passed; i--) {
        if (i == first - 1 || block[i] == '\n') {
          boolean torn = offset + lineEnd == size && lineEnd > i + 1;
          if (torn) {
            wholeEnd = offset + i + 1;
          }
          if (lineEnd > i + 1 && (over || !torn)) {
            take(line.parse(block, i + 1, lineEnd), offset + i + 1);
          }
          lineEnd = i;
        }
      }
    }

    private void take(CriLine.Kind kind, long lineStart) {
      if (kind == CriLine.Kind.ATTEMPT) {
        current = line.attempt() - 1;
        if (line.attempt() == attempt) {
          found = true;
          attemptStart = lineStart;
        } else if (line.attempt() > attempt) {
          end = lineStart;
          last = false;
          lines = 0;
        } else {
          passed = true;
        }
      } else if (kind == CriLine.Kind.OUTPUT && request.tail().isPresent()) {
        count(lineStart);
      }
    }

    /** A partial entry is the beginning of the line that follows, so only full ones count. */
    private void count(long lineStart) {
      boolean wanted = request.stream().isEmpty() || request.stream().get() == line.stream();
      if (!wanted || lines > request.tail().getAsLong()) {
        return;
      }
      if (!line.partial() || lines == 0) {
        lines++;
      }
      if (lines <= request.tail().getAsLong()) {
        tailStart = lineStart;
      }
    }
  }
}
