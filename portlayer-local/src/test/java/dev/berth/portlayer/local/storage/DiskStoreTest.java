package dev.berth.portlayer.local.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.local.host.HostCommands;
import dev.berth.portlayer.storage.DiskAttachment.Role;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiskStoreTest {
  @TempDir Path directory;

  @Test
  void aSparseDiskOccupiesLessThanItsSize() {
    DiskStore store = new DiskStore(directory, new HostCommands(Optional.empty()));
    long size = 1L << 30;
    store.create("sparse", Role.SCRATCH, size);
    assertTrue(store.occupied() > 0 && store.occupied() < size / 4, "it is " + store.occupied());
  }

  /** No file system is that large, or no ext4 is. */
  @Test
  void ofADiskThatCannotBeMadeNothingIsLeft() throws IOException {
    DiskStore store = new DiskStore(directory, new HostCommands(Optional.empty()));

    assertThrows(PortLayerException.class, () -> store.create("huge", Role.SCRATCH, 1L << 62));

    try (Stream<Path> files = Files.list(directory)) {
      assertEquals(List.of(), files.toList());
    }
  }
}
