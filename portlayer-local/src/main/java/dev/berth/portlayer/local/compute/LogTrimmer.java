package dev.berth.portlayer.local.compute;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.local.host.AtomicFiles;
import dev.berth.portlayer.local.host.HostCommands;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a containerVM's log from growing without end, as a kubelet's rotation does. QEMU writes to
 * one file for as long as it runs, so the file is not rotated: the blocks of its oldest lines are
 * given back, and the others keep their offsets.
 */
final class LogTrimmer {
  private static final Logger LOG = LoggerFactory.getLogger(LogTrimmer.class);
  private static final long MEBIBYTE = 1L << 20;

  /** More than a kubelet's five files of 10 MiB, so that no follower falls that far behind. */
  private static final long KEPT = 256 * MEBIBYTE;

  private static final Duration INTERVAL = Duration.ofSeconds(10);
  private static final long STEP = 64 * MEBIBYTE;

  /** The tether cuts lines at 16 KiB: where more are without an end, there are no lines. */
  private static final int LONGEST_LINE = 64 * 1024;

  /** What file systems give back as a whole. */
  private static final long BLOCK = 4096;

  private final HostCommands commands;
  private final long kept;
  private final long step;

  LogTrimmer(HostCommands commands) {
    this(commands, KEPT, STEP);
  }

  /**
   * @param kept bytes that stay at least
   * @param step bytes more than that from which on it is worth the trouble
   */
  LogTrimmer(HostCommands commands, long kept, long step) {
    this.commands = commands;
    this.kept = kept;
    this.step = step;
  }

  /** Offset of the oldest line that a log still has. */
  static long start(VmFiles files) {
    return AtomicFiles.read(files.logStart(), Long.class).orElse(0L);
  }

  /**
   * Looks at every log now and then, as often as a kubelet does.
   *
   * @return the thread that does, to be interrupted
   */
  Thread start(Supplier<List<VmFiles>> all) {
    return Thread.ofVirtual()
        .name("log-trimmer")
        .start(
            () -> {
              try {
                while (true) {
                  Thread.sleep(INTERVAL);
                  all.get().forEach(this::trim);
                }
              } catch (InterruptedException closing) {
                Thread.currentThread().interrupt();
              }
            });
  }

  /** Gives back what is too much of a log; what is newer than {@code kept} stays. Idempotent. */
  void trim(VmFiles files) {
    try {
      Path log = files.log();
      long size = log.toFile().length();
      if (size - start(files) > kept + step) {
        giveBack(files, lineAfter(log, size - kept));
      }
    } catch (IOException e) {
      LOG.warn("The log of containerVM {} grows: {}", files.id(), e.toString());
    } catch (PortLayerException e) {
      LOG.warn("The log of containerVM {} grows: {}", files.id(), e.getMessage());
    }
  }

  private void giveBack(VmFiles files, long start) {
    // Of record first: whoever reads from here on does not meet the hole.
    AtomicFiles.write(files.logStart(), start);
    String hole = Long.toString(start / BLOCK * BLOCK);
    commands.run(
        List.of(
            "fallocate",
            "--punch-hole",
            "--offset",
            "0",
            "--length",
            hole,
            files.log().toString()));
    LOG.debug("The log of containerVM {} begins at byte {} now", files.id(), start);
  }

  private static long lineAfter(Path log, long offset) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(LONGEST_LINE);
    try (FileChannel channel = FileChannel.open(log, StandardOpenOption.READ)) {
      while (bytes.hasRemaining() && channel.read(bytes, offset + bytes.position()) > 0) {}
    }
    for (int i = 0; i < bytes.position(); i++) {
      if (bytes.get(i) == '\n') {
        return offset + i + 1;
      }
    }
    throw new IOException("there is no line's end behind byte " + offset);
  }
}
