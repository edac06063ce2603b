package dev.berth.provider.api;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Kubernetes' own client library, in a small command built once for a run of the tests. */
final class GoClient {
  private static final Path SOURCES = Path.of("src/test/go/kubelet-client").toAbsolutePath();
  private static final Path BINARY = Path.of("target/kubelet-client").toAbsolutePath();

  private static boolean built;

  private GoClient() {}

  /** Begins the command; the test closes its streams. */
  static Process start(TestServer server, String path, String... arguments)
      throws IOException, InterruptedException {
    build();
    var command =
        new ArrayList<>(
            List.of(
                BINARY.toString(),
                "-url",
                server.url(path),
                "-ca",
                server.certificates.file("authority.crt").toString()));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command).start();
  }

  private static synchronized void build() throws IOException, InterruptedException {
    if (built) {
      return;
    }
    Process process;
    try {
      process =
          new ProcessBuilder("go", "build", "-o", BINARY.toString(), ".")
              .directory(SOURCES.toFile())
              .redirectErrorStream(true)
              .start();
    } catch (IOException e) {
      throw new IOException("Go 1.26 is needed to build " + SOURCES + "; install it", e);
    }
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    if (!process.waitFor(10, TimeUnit.MINUTES) || process.exitValue() != 0) {
      throw new IOException("go build of " + SOURCES + " failed: " + output);
    }
    built = true;
  }
}
