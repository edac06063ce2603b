package dev.berth.provider.api.stream;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.interaction.ExecSpec.TerminalSize;
import dev.berth.portlayer.interaction.ProcessSession;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/** Joins a client's streams with those of a process, each direction on a virtual thread. */
public final class RemoteCommand {
  private static final Logger log = LoggerFactory.getLogger(RemoteCommand.class);
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final int BUFFER = 32 * 1024;
  private static final Duration EXIT_CHECK = Duration.ofSeconds(1);

  private final CommandStreams client;
  private final CommandOptions options;

  public RemoteCommand(CommandStreams client, CommandOptions options) {
    this.client = client;
    this.options = options;
  }

  /** A size as clients write it. */
  record Size(int Width, int Height) {}

  /**
   * Runs until the process has ended or the client has gone. Everything the process wrote arrives
   * before the outcome.
   *
   * @param opener begins the process; may throw {@link PortLayerException}
   * @param action as it stands in an error: "executing command in container"
   * @param outcome what the client is told of an exit
   */
  public void run(
      Supplier<ProcessSession> opener,
      String action,
      Function<ProcessSession.Exit, CommandStatus> outcome)
      throws IOException {
    try (client) {
      CommandStatus status;
      try (ProcessSession session = opener.get()) {
        client.onClose(session::close);
        status = outcome.apply(relay(session));
      } catch (PortLayerException e) {
        log.debug("Error {}", action, e);
        status = CommandStatus.failed("error " + action + ": " + e.getMessage());
      }
      client.finish(status);
    }
  }

  private ProcessSession.Exit relay(ProcessSession session) throws IOException {
    if (options.stdin()) {
      start("stdin", () -> copyInput(client.stdin(), session.stdin()));
    }
    if (options.terminal()) {
      start("resize", () -> resize(session));
    }
    Thread errors = start("stderr", () -> copy(session.stderr(), client.stderr(), session));
    copy(session.stdout(), client.stdout(), session);
    join(errors);
    ProcessSession.Exit exit = awaitExit(session);
    if (!exit.message().isEmpty()) {
      OutputStream visible = options.stderr() ? client.stderr() : client.stdout();
      visible.write((exit.message() + "\n").getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }
    return exit;
  }

  private ProcessSession.Exit awaitExit(ProcessSession session) throws IOException {
    while (client.isOpen()) {
      Optional<ProcessSession.Exit> exit = session.awaitExit(EXIT_CHECK);
      if (exit.isPresent()) {
        return exit.get();
      }
    }
    throw new IOException("the client has closed the connection");
  }

  private static Thread start(String name, Runnable work) {
    return Thread.ofVirtual().name("kubelet-api-" + name).start(work);
  }

  private static void join(Thread thread) throws IOException {
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new java.io.InterruptedIOException("interrupted while the process writes");
    }
  }

  /** The end of the client's input is the end of the process's. */
  private static void copyInput(InputStream from, OutputStream to) {
    try (to) {
      pump(from, to);
    } catch (IOException e) {
      log.debug("Input ended: {}", e.getMessage());
    } finally {
      // Nobody takes what still comes; it must not stop the other streams.
      closeQuietly(from);
    }
  }

  /** A client that does not take the output any more ends the session. */
  private static void copy(InputStream from, OutputStream to, ProcessSession session) {
    try {
      pump(from, to);
    } catch (IOException e) {
      log.debug("Output ended: {}", e.getMessage());
      session.close();
    }
  }

  private static void pump(InputStream from, OutputStream to) throws IOException {
    byte[] buffer = new byte[BUFFER];
    for (int count = from.read(buffer); count >= 0; count = from.read(buffer)) {
      to.write(buffer, 0, count);
      to.flush();
    }
  }

  private void resize(ProcessSession session) {
    try (var sizes = JSON.readerFor(Size.class).<Size>readValues(client.resize())) {
      while (sizes.hasNextValue()) {
        Size size = sizes.nextValue();
        if (size.Width() > 0 && size.Height() > 0) {
          session.resize(new TerminalSize(size.Width(), size.Height()));
        }
      }
    } catch (JacksonException | PortLayerException e) {
      log.debug("No more sizes of the terminal: {}", e.getMessage());
    }
  }

  private static void closeQuietly(InputStream stream) {
    try {
      stream.close();
    } catch (IOException e) {
      log.debug("Closing an input failed", e);
    }
  }
}
