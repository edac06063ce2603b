package dev.berth.portlayer.vsphere.storage;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.storage.DiskAttachment.Role;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Empty file systems, which vCenter cannot make. */
final class Ext4 {
  private Ext4() {}

  /**
   * Makes a sparse file with a file system. Scratch has no journal: what it holds is worth nothing
   * once its VM is lost.
   *
   * @throws PortLayerException FAILED_PRECONDITION when mke2fs is missing, INTERNAL
   */
  static void make(Path file, Role role, long size) {
    List<String> line =
        new ArrayList<>(
            List.of(
                "mke2fs",
                "-q",
                "-F",
                "-t",
                "ext4",
                "-m",
                "0",
                "-E",
                "lazy_itable_init=1,lazy_journal_init=1,nodiscard,root_owner=0:0"));
    if (role == Role.SCRATCH) {
      line.addAll(List.of("-O", "^has_journal"));
    }
    line.add(file.toString());
    try (RandomAccessFile disk = new RandomAccessFile(file.toFile(), "rw")) {
      disk.setLength(size);
    } catch (IOException e) {
      throw new PortLayerException(Code.INTERNAL, "Cannot make " + file, e);
    }
    run(line);
  }

  private static void run(List<String> line) {
    try {
      Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
      process.getOutputStream().close();
      String output =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      if (process.waitFor() != 0) {
        throw new PortLayerException(Code.INTERNAL, line.getFirst() + " failed: " + output);
      }
    } catch (IOException e) {
      throw new PortLayerException(
          Code.FAILED_PRECONDITION,
          "Cannot run %s: install the package e2fsprogs".formatted(line.getFirst()),
          e);
    } catch (InterruptedException e) {
      throw PortLayerException.interrupted("making a file system", e);
    }
  }
}
