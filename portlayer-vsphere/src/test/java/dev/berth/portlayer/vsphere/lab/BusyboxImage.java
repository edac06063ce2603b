package dev.berth.portlayer.vsphere.lab;

import dev.berth.portlayer.image.testing.TarBuilder;
import dev.berth.portlayer.image.testing.TestImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** An image with the machine's static busybox and all its applets. */
final class BusyboxImage {
  private static final Path BUSYBOX = Path.of("/bin/busybox");

  private BusyboxImage() {}

  /**
   * @param name in a file, so that images differ
   */
  static TestImage of(String name) {
    try {
      TarBuilder tar = new TarBuilder();
      for (String directory : List.of("bin", "etc", "proc", "sys", "dev", "tmp", "root", "run")) {
        tar.mode(0755).directory(directory);
      }
      tar.mode(0755).file("bin/busybox", Files.readAllBytes(BUSYBOX));
      applets()
          .filter(applet -> !applet.equals("busybox"))
          .forEach(applet -> tar.symbolicLink("bin/" + applet, "busybox"));
      // Debian's busybox lacks this one.
      tar.mode(0755).file("bin/printenv", "#!/bin/sh\neval \"echo \\\"\\$$1\\\"\"\n");
      tar.file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
          .file("etc/group", "root:x:0:\n")
          .file("etc/name", name);
      return new TestImage().layer(tar.build(), TestImage.Compression.GZIP);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Stream<String> applets() throws IOException {
    Process list = new ProcessBuilder(BUSYBOX.toString(), "--list").start();
    return new String(list.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines();
  }
}
