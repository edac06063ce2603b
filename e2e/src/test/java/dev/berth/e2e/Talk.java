package dev.berth.e2e;

import java.io.IOException;
import java.io.InputStream;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.awaitility.Awaitility;

/** A program that goes on while the test does something else: what it says, and what it is told. */
final class Talk implements AutoCloseable {
  private final Process process;
  private final Writer input;
  private final StringBuilder said = new StringBuilder();
  private final Thread listener;

  private Talk(Process process) {
    this.process = process;
    this.input = process.outputWriter(StandardCharsets.UTF_8);
    this.listener = Thread.ofVirtual().start(this::listen);
  }

  static Talk with(Command command) {
    return new Talk(command.start());
  }

  private void listen() {
    try (InputStream output = process.getInputStream()) {
      byte[] bytes = new byte[8192];
      for (int count = output.read(bytes); count >= 0; count = output.read(bytes)) {
        // What is said is ASCII.
        heard(new String(bytes, 0, count, StandardCharsets.ISO_8859_1));
      }
    } catch (IOException e) {
      heard(String.valueOf(e));
    }
  }

  private void heard(String text) {
    synchronized (said) {
      said.append(text);
    }
  }

  String text() {
    synchronized (said) {
      return said.toString();
    }
  }

  void say(String text) throws IOException {
    input.write(text);
    input.flush();
  }

  void await(String text) {
    Awaitility.await()
        .alias("it says " + text)
        .atMost(Duration.ofSeconds(60))
        .until(this::text, all -> all.contains(text));
  }

  @Override
  public void close() {
    process.destroyForcibly();
    try {
      listener.join(Duration.ofSeconds(10));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
