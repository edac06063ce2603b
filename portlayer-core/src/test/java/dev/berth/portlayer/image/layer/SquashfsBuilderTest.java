package dev.berth.portlayer.image.layer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.image.testing.DiskListing;
import dev.berth.portlayer.image.testing.TarBuilder;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of files in the squashfs file. */
class SquashfsBuilderTest {
  private static final byte[] CAPABILITY = {
    1, 0, 0, 2, 0, (byte) 0xff, (byte) 0x80, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
  };

  @TempDir Path directory;

  private Path build(TarBuilder... layers) throws Exception {
    List<LayerArchive> archives = new java.util.ArrayList<>();
    for (TarBuilder layer : layers) {
      Path file = directory.resolve(archives.size() + ".tar");
      Files.write(file, layer.build());
      archives.add(new LayerArchive("layer-" + archives.size(), file));
    }
    Path disk = directory.resolve("disk.squashfs");
    new SquashfsBuilder("sqfstar", 2).build(archives, disk);
    return disk;
  }

  private static TarBuilder everything() {
    return new TarBuilder()
        .mode(01751)
        .directory(".")
        .owner(1000, 70_000)
        .mode(02775)
        .directory("d")
        .mode(04755)
        .xattr("security.capability", CAPABILITY)
        .xattr("trusted.overlay.opaque", "y".getBytes(UTF_8))
        .xattr("system.posix_acl_access", "ignored".getBytes(UTF_8))
        .xattr("user.one", "1".getBytes(UTF_8))
        .file("d/ping", "hello")
        .hardLink("d/ping6", "d/ping")
        .characterDevice("null", 1, 3)
        .blockDevice("disk", 8, 300)
        .fifo("pipe")
        .symbolicLink("short", "/d/ping")
        .symbolicLink("long", "/" + "t".repeat(180))
        .symbolicLink("up", "../../" + "u".repeat(180))
        .file("n".repeat(120) + "/" + "m".repeat(250), "deep")
        .modified(0)
        .pax("mtime", "-5".getBytes(UTF_8))
        .file("old", "")
        .owner(3_000_000, 0)
        .file("strange \\ \"name\n", "x");
  }

  @Test
  @DisplayName("types, modes, owners, times, link targets and long names survive")
  void listing() throws Exception {
    String listing = DiskListing.of(build(everything()));
    for (String expected :
        List.of(
            "drwxr-x--t 0/0",
            "drwxrwsr-x 1000/70000",
            "5 2023-11-14 22:13 squashfs-root/d/ping",
            "1,  3 2023-11-14 22:13 squashfs-root/null",
            "-rwsr-xr-x 1000/70000",
            "crw-r--r-- 1000/70000",
            "prw-r--r-- 1000/70000",
            "squashfs-root/short -> /d/ping",
            "squashfs-root/long -> /" + "t".repeat(180),
            "squashfs-root/up -> ../../" + "u".repeat(180),
            "n".repeat(120) + "/" + "m".repeat(250),
            "1970-01-01 00:00 squashfs-root/old",
            "-rw-r--r-- 3000000/0")) {
      assertTrue(listing.contains(expected), expected + "\nnot in\n" + listing);
    }
  }

  @Test
  @Tag("vm")
  @DisplayName("mounted: hard links, binary attributes, devices and odd names survive")
  void mounted() throws Exception {
    Path disk = build(everything());
    Path root = Files.createDirectory(directory.resolve("mounted"));
    DiskListing.run(List.of("mount", "-o", "loop,ro", disk.toString(), root.toString()));
    try {
      Path ping = root.resolve("d/ping");
      assertEquals(2, Files.getAttribute(ping, "unix:nlink"));
      assertTrue(Files.isSameFile(ping, root.resolve("d/ping6")));
      assertEquals("1", attribute(ping, "one"));
      assertArrayEquals(CAPABILITY, raw(ping, "security.capability"));
      assertEquals(
          0x103L, ((Number) Files.getAttribute(root.resolve("null"), "unix:rdev")).longValue());
      assertTrue(Files.exists(root.resolve("strange \\ \"name\n"), LinkOption.NOFOLLOW_LINKS));
      assertEquals("", list(ping, "trusted.overlay"));
    } finally {
      DiskListing.run(List.of("umount", root.toString()));
    }
  }

  private static String attribute(Path file, String name) throws Exception {
    return new String((byte[]) Files.getAttribute(file, "user:" + name), UTF_8);
  }

  /** Through Python, because Java reads the user name space only. */
  private static byte[] raw(Path file, String name) throws Exception {
    String hex = python("print(os.getxattr(sys.argv[1], sys.argv[2]).hex())", file, name);
    return java.util.HexFormat.of().parseHex(hex);
  }

  private static String list(Path file, String prefix) throws Exception {
    return python(
        "print(''.join(x for x in os.listxattr(sys.argv[1]) if x.startswith(sys.argv[2])))",
        file,
        prefix);
  }

  private static String python(String code, Path file, String argument) throws Exception {
    return DiskListing.run(
            List.of("python3", "-c", "import os,sys;" + code, file.toString(), argument))
        .strip();
  }

  @Test
  @DisplayName("the same layers give a disk of the same size")
  void sameSize() throws Exception {
    byte[] big = new byte[3_000_000];
    new Random(1).nextBytes(big);
    TarBuilder layer = everything().file("big", big);
    byte[] first = Files.readAllBytes(build(layer));
    Files.delete(directory.resolve("disk.squashfs"));
    assertEquals(first.length, Files.size(build(layer)));
  }

  @Test
  @DisplayName("holes of sparse files read as zeros")
  void sparse() throws Exception {
    TarBuilder layer =
        new TarBuilder()
            .pax("GNU.sparse.map", "4,2,10,1".getBytes(UTF_8))
            .pax("GNU.sparse.size", "12".getBytes(UTF_8))
            .file("sparse", "abc");
    assertEquals("\0\0\0\0ab\0\0\0\0c\0", DiskListing.cat(build(layer), "sparse"));
  }

  @Test
  @Tag("vm")
  @DisplayName("a full datastore is RESOURCE_EXHAUSTED")
  void full() throws Exception {
    Path small = Files.createDirectory(directory.resolve("small"));
    DiskListing.run(List.of("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small.toString()));
    try {
      byte[] noise = new byte[3_000_000];
      new Random(2).nextBytes(noise);
      Path archive =
          Files.write(directory.resolve("big.tar"), new TarBuilder().file("big", noise).build());
      PortLayerException failure =
          assertThrows(
              PortLayerException.class,
              () ->
                  new SquashfsBuilder("sqfstar", 2)
                      .build(List.of(new LayerArchive("layer", archive)), small.resolve("disk")));
      assertEquals(Code.RESOURCE_EXHAUSTED, failure.code(), failure.getMessage());
    } finally {
      DiskListing.run(List.of("umount", small.toString()));
    }
  }
}
