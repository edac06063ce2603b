package dev.berth.portlayer.image.layer;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.image.content.StorageFailures;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Makes one squashfs file of an image's layers, in one pass, with {@code sqfstar} of squashfs-tools
 * 4.5 or later: nothing is unpacked and no privilege is needed.
 *
 * <p>The file keeps types, modes, owners, whole-second times (0 to 2106), hard links, devices and
 * the extended attributes of the user, trusted and security name spaces. The root directory belongs
 * to 0:0 whatever the image says: sqfstar cannot set its owner.
 */
public final class SquashfsBuilder {
  private static final long EXIT_SECONDS = 60;
  private static final int MAXIMUM_REPORT = 1 << 14;

  private final String tool;
  private final int processors;

  /**
   * @param tool the sqfstar program, a path or a name on the PATH
   * @param processors how many threads may compress, at least 1
   */
  public SquashfsBuilder(String tool, int processors) {
    this.tool = tool;
    this.processors = processors;
  }

  /**
   * Writes {@code output}, which must not exist. On failure what is written is left to the caller
   * to remove. An interrupt ends it.
   *
   * @param layers the lowest first
   * @throws PortLayerException CORRUPT naming the layer, RESOURCE_EXHAUSTED, FAILED_PRECONDITION
   *     when sqfstar is missing, INTERRUPTED, INTERNAL
   */
  public void build(List<LayerArchive> layers, Path output) {
    List<FileChannel> archives = new ArrayList<>();
    try {
      MergedTree merged = new MergedTree();
      for (LayerArchive layer : layers) {
        FileChannel archive = FileChannel.open(layer.archive(), StandardOpenOption.READ);
        archives.add(archive);
        add(merged, layer, archive, archives.size() - 1);
      }
      write(merged.root, archives, output);
    } catch (IOException e) {
      throw StorageFailures.of("failed to build image disk", e);
    } finally {
      archives.forEach(SquashfsBuilder::close);
    }
  }

  private static void add(MergedTree merged, LayerArchive layer, FileChannel archive, int index)
      throws IOException {
    try {
      merged.add(LayerTree.read(archive, index));
    } catch (CorruptArchiveException e) {
      throw new PortLayerException(
          Code.CORRUPT,
          "failed to apply layer %s: %s: the image is damaged at its registry; push it again"
              .formatted(layer.name(), e.getMessage()),
          e);
    }
  }

  private void write(Node root, List<FileChannel> archives, Path output) throws IOException {
    Process process = start(root, output);
    // Not into a file: on a full disk the report would be lost with the rest.
    CompletableFuture<String> report = new CompletableFuture<>();
    Thread.ofVirtual().start(() -> report.complete(read(process)));
    try {
      @Nullable IOException broken = feed(root, archives, process);
      if (!process.waitFor(EXIT_SECONDS, TimeUnit.SECONDS)) {
        throw new PortLayerException(
            Code.INTERNAL, "failed to build image disk: sqfstar did not end after its input");
      }
      if (process.exitValue() != 0 || broken != null) {
        String words = report.completeOnTimeout("", EXIT_SECONDS, TimeUnit.SECONDS).join();
        throw failure(process.exitValue(), words, broken);
      }
    } catch (InterruptedException e) {
      throw PortLayerException.interrupted("building an image disk", e);
    } finally {
      end(process);
    }
  }

  private static String read(Process process) {
    try (InputStream output = process.getInputStream()) {
      String beginning = new String(output.readNBytes(MAXIMUM_REPORT), UTF_8);
      output.transferTo(OutputStream.nullOutputStream());
      return beginning;
    } catch (IOException e) {
      return "";
    }
  }

  private static void end(Process process) {
    process.destroyForcibly();
    process
        .onExit()
        .orTimeout(EXIT_SECONDS, TimeUnit.SECONDS)
        .handle((ended, failure) -> ended)
        .join();
  }

  /** Returns the failure when the tool stops reading, which its own report explains better. */
  private static @Nullable IOException feed(Node root, List<FileChannel> archives, Process process)
      throws IOException {
    try (OutputStream input = new BufferedOutputStream(process.getOutputStream(), 1 << 18)) {
      new TreeWriter(archives, input).write(root);
      return null;
    } catch (CorruptArchiveException e) {
      throw e;
    } catch (IOException e) {
      if (Thread.currentThread().isInterrupted()) {
        throw e;
      }
      return e;
    }
  }

  private Process start(Node root, Path output) throws IOException {
    List<String> command =
        List.of(
            tool,
            "-comp",
            "lz4",
            "-b",
            "128K",
            "-processors",
            Integer.toString(processors),
            "-mkfs-time",
            "0",
            "-root-mode",
            Integer.toOctalString(root.attributes().mode()),
            "-exit-on-error",
            "-quiet",
            "-no-progress",
            output.toString());
    try {
      return new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException e) {
      if (StorageFailures.isFull(e.getMessage())) {
        throw e;
      }
      throw new PortLayerException(
          Code.FAILED_PRECONDITION,
          "failed to build image disk: cannot run \"%s\": install squashfs-tools 4.5 or later"
              .formatted(tool),
          e);
    }
  }

  private static PortLayerException failure(int exit, String report, @Nullable IOException broken) {
    String doing = "failed to build image disk";
    if (StorageFailures.isFull(report)) {
      return StorageFailures.full(doing, broken);
    }
    return new PortLayerException(
        Code.INTERNAL,
        "%s: sqfstar exited with %d: %s".formatted(doing, exit, report.strip().replace('\n', ' ')),
        broken);
  }

  private static void close(FileChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      // Opened for reading only: there is nothing to lose.
    }
  }
}
