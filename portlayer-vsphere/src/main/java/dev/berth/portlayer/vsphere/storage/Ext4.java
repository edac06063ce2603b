package dev.berth.portlayer.vsphere.storage;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.storage.DiskAttachment.Role;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** Empty file systems, which vCenter cannot make. */
final class Ext4 {
  private static final long MEBIBYTE = 1L << 20;
  private static final int SUPERBLOCK = 1024;

  private Ext4() {}

  /**
   * Makes a file with the beginning of a file system, which is all of it that is not zero: all that
   * it has written down is in front, and there are no copies of that. Scratch has no journal: what
   * it holds is worth nothing once its VM is lost.
   *
   * @param size the file system's, bytes; the file is shorter, of whole mebibytes
   * @throws PortLayerException FAILED_PRECONDITION when mke2fs is missing, INTERNAL
   */
  static void make(Path file, Role role, long size) {
    String features = "sparse_super2,^resize_inode";
    List<String> line =
        List.of(
            "mke2fs",
            "-q",
            "-F",
            "-t",
            "ext4",
            "-m",
            "0",
            "-O",
            role == Role.SCRATCH ? features + ",^has_journal" : features,
            "-E",
            "packed_meta_blocks=1,num_backup_sb=0,lazy_itable_init=1,lazy_journal_init=1,nodiscard,root_owner=0:0",
            file.toString());
    try (RandomAccessFile disk = new RandomAccessFile(file.toFile(), "rw")) {
      disk.setLength(size);
      run(line);
      disk.setLength(Math.min(size, (used(disk) + MEBIBYTE - 1) / MEBIBYTE * MEBIBYTE));
    } catch (IOException e) {
      throw new PortLayerException(Code.INTERNAL, "Cannot make " + file, e);
    }
  }

  /** Where the last block ends that is in use, when none in front of it is free. */
  private static long used(RandomAccessFile disk) throws IOException {
    byte[] content = new byte[1024];
    disk.seek(SUPERBLOCK);
    disk.readFully(content);
    ByteBuffer superblock = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
    long blocks = count(superblock, 0x4, 0x150);
    long free = count(superblock, 0xc, 0x158);
    int first = superblock.getInt(0x14); // The one before it is in use, and not counted as such.
    return (blocks - free + first) << (10 + superblock.getInt(0x18));
  }

  private static long count(ByteBuffer superblock, int low, int high) {
    return (Integer.toUnsignedLong(superblock.getInt(high)) << 32)
        + Integer.toUnsignedLong(superblock.getInt(low));
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
