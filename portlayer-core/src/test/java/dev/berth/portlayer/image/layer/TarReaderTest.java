package dev.berth.portlayer.image.layer;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.berth.portlayer.image.layer.Inode.Extent;
import dev.berth.portlayer.image.testing.TarBuilder;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The dialects of tar. */
class TarReaderTest {
  @TempDir Path directory;

  private List<TarEntry> read(byte[] archive) throws IOException {
    Path file = Files.write(directory.resolve("a.tar"), archive);
    List<TarEntry> entries = new ArrayList<>();
    try (FileChannel channel = FileChannel.open(file)) {
      TarReader reader = new TarReader(channel);
      for (TarEntry entry = reader.next(); entry != null; entry = reader.next()) {
        entries.add(entry);
      }
    }
    return entries;
  }

  @Test
  @DisplayName(
      "PAX records carry long names, big numbers, negative and fractional times, binary attributes")
  void pax() throws Exception {
    byte[] capability = {1, 0, 0, 2, (byte) 0xff, (byte) 0x80, 0, 10, 0, 0};
    TarEntry entry =
        read(new TarBuilder()
                .xattr("security.capability", capability)
                .pax("uid", "3000000000".getBytes(UTF_8))
                .pax("mtime", "-1.5".getBytes(UTF_8))
                .file("é".repeat(90) + "/x", "content")
                .build())
            .getFirst();
    assertEquals("é".repeat(90) + "/x", new String(entry.path().getBytes(ISO_8859_1), UTF_8));
    assertEquals(3_000_000_000L, entry.attributes().user());
    assertEquals(-2, entry.attributes().modifiedSeconds());
    assertArrayEquals(capability, entry.attributes().extended().get("security.capability"));
  }

  @Test
  @DisplayName("global PAX headers hold until the end, others for one entry")
  void globalPax() throws Exception {
    TarBuilder tar = new TarBuilder();
    byte[] record = "11 uid=4711\n".getBytes(UTF_8);
    record[1] = '2';
    tar.raw(tar.header("g", 'g', "", record.length, 0, 0), record);
    List<TarEntry> entries =
        read(tar.file("a", "").pax("uid", "5".getBytes(UTF_8)).file("b", "").file("c", "").build());
    assertEquals(
        List.of(4711L, 5L, 4711L), entries.stream().map(e -> e.attributes().user()).toList());
  }

  @Test
  @DisplayName("GNU long names and base-256 numbers")
  void gnu() throws Exception {
    TarBuilder tar = new TarBuilder();
    byte[] name = ("n".repeat(300) + "\0").getBytes(UTF_8);
    byte[] link = ("l".repeat(200) + "\0").getBytes(UTF_8);
    tar.raw(tar.header("././@LongLink", 'L', "", name.length, 0, 0), name);
    tar.raw(tar.header("././@LongLink", 'K', "", link.length, 0, 0), link);
    byte[] header = tar.header("short", '2', "short", 0, 0, 0);
    header[108] = (byte) 0x80;
    Arrays.fill(header, 109, 116, (byte) 0);
    header[112] = 1;
    tar.raw(TarBuilder.sum(header), new byte[0]);
    TarEntry entry = read(tar.build()).getFirst();
    assertEquals("n".repeat(300), entry.path());
    assertEquals("l".repeat(200), entry.linkTarget());
    assertEquals(1L << 24, entry.attributes().user());
  }

  @Test
  @DisplayName("old GNU sparse files, with an extension block")
  void oldSparse() throws Exception {
    TarBuilder tar = new TarBuilder();
    byte[] header = tar.header("sparse", 'S', "", 1536, 0, 0);
    Arrays.fill(header, 345, 512, (byte) 0);
    Arrays.fill(header, 386, 482, (byte) 0);
    TarBuilder.octal(header, 386, 12, 0);
    TarBuilder.octal(header, 398, 12, 512);
    TarBuilder.octal(header, 410, 12, 4096);
    TarBuilder.octal(header, 422, 12, 512);
    header[482] = 1;
    TarBuilder.octal(header, 483, 12, 100_000);
    byte[] extension = new byte[512];
    TarBuilder.octal(extension, 0, 12, 8192);
    TarBuilder.octal(extension, 12, 12, 512);
    byte[] body = new byte[2048];
    System.arraycopy(extension, 0, body, 0, 512);
    tar.raw(TarBuilder.sum(header), body);
    TarEntry entry = read(tar.file("next", "x").build()).getFirst();
    assertEquals(100_000, entry.size());
    assertEquals(
        List.of(new Extent(0, 1024, 512), new Extent(4096, 1536, 512), new Extent(8192, 2048, 512)),
        entry.extents());
  }

  @Test
  @DisplayName("PAX sparse files of formats 0.1 and 1.0")
  void paxSparse() throws Exception {
    TarBuilder tar =
        new TarBuilder()
            .pax("GNU.sparse.major", "1".getBytes(UTF_8))
            .pax("GNU.sparse.minor", "0".getBytes(UTF_8))
            .pax("GNU.sparse.name", "one".getBytes(UTF_8))
            .pax("GNU.sparse.realsize", "9000".getBytes(UTF_8));
    byte[] content = new byte[512 + 10];
    byte[] map = "2\n1000\n5\n8995\n5\n".getBytes(UTF_8);
    System.arraycopy(map, 0, content, 0, map.length);
    tar.file("GNUSparseFile.0/one", content);
    tar.pax("GNU.sparse.map", "10,3,20,4".getBytes(UTF_8))
        .pax("GNU.sparse.size", "100".getBytes(UTF_8))
        .file("zero", "1234567");
    List<TarEntry> entries = read(tar.build());
    assertEquals(List.of("one", "zero"), entries.stream().map(TarEntry::path).toList());
    assertEquals(List.of(9000L, 100L), entries.stream().map(TarEntry::size).toList());
    long start = entries.getFirst().extents().getFirst().position();
    assertEquals(
        List.of(new Extent(1000, start, 5), new Extent(8995, start + 5, 5)),
        entries.getFirst().extents());
    assertEquals(List.of(10L, 20L), entries.get(1).extents().stream().map(Extent::offset).toList());
  }

  @Test
  @DisplayName("an archive without end blocks is whole, one that ends in an entry is not")
  void ends() throws Exception {
    byte[] unended = new TarBuilder().file("a", "b").unended();
    assertEquals(1, read(unended).size());
    assertThrows(CorruptArchiveException.class, () -> read(Arrays.copyOf(unended, 512)));
    byte[] damaged = unended.clone();
    damaged[5] ^= 1;
    assertThrows(CorruptArchiveException.class, () -> read(damaged));
  }
}
