package dev.berth.portlayer.image.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Reads a squashfs file back with unsquashfs. */
public final class DiskListing {
  private DiskListing() {}

  /** {@code unsquashfs -lln}: mode, owner, size, time and path of every entry. */
  public static String of(Path disk) throws IOException, InterruptedException {
    return run(List.of("unsquashfs", "-lln", "-UTC", disk.toString()));
  }

  /** One file's content. */
  public static String cat(Path disk, String path) throws IOException, InterruptedException {
    return run(List.of("unsquashfs", "-cat", disk.toString(), path));
  }

  public static String run(List<String> command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    if (!process.waitFor(60, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new IOException(command.getFirst() + " does not end");
    }
    if (process.exitValue() != 0) {
      throw new IOException(String.join(" ", command) + " failed: " + output);
    }
    return output;
  }
}
