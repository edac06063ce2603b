package dev.berth.portlayer.vsphere.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.storage.DiskAttachment.Role;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What of a file system is uploaded. */
class Ext4Test {
  private static final long MEBIBYTE = 1L << 20;

  @ParameterizedTest
  @CsvSource({
    "SCRATCH, 16, 2",
    "SCRATCH, 63, 5",
    "SCRATCH, 1024, 17",
    "SCRATCH, 10240, 161",
    "SCRATCH, 102400, 1607",
    "VOLUME, 16, 3",
    "VOLUME, 1024, 49",
    "VOLUME, 10240, 225"
  })
  void zerosBehindTheBeginningMakeItWhole(
      Role role, long mebibytes, long most, @TempDir Path directory) throws Exception {
    Path file = directory.resolve("disk");
    Ext4.make(file, role, mebibytes * MEBIBYTE);
    assertEquals(0, Files.size(file) % MEBIBYTE);
    assertTrue(Files.size(file) <= most * MEBIBYTE, Files.size(file) + " bytes");

    try (RandomAccessFile disk = new RandomAccessFile(file.toFile(), "rw")) {
      disk.setLength(mebibytes * MEBIBYTE);
    }
    Process check =
        new ProcessBuilder("e2fsck", "-f", "-n", file.toString()).redirectErrorStream(true).start();
    String said = new String(check.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, check.waitFor(), said);
  }
}
