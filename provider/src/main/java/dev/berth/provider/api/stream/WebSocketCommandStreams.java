package dev.berth.provider.api.stream;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.Set;

/** The streams of a command over a WebSocket, each a channel with a fixed number. */
public final class WebSocketCommandStreams implements CommandStreams {
  /** The subprotocols, the newest first; they differ in the error's form and in half-closing. */
  public static final List<String> PROTOCOLS =
      List.of("v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io");

  static final int STDIN = 0;
  static final int STDOUT = 1;
  static final int STDERR = 2;
  static final int ERROR = 3;
  static final int RESIZE = 4;

  private final WebSocketConnection connection;
  private final CommandOptions options;
  private final boolean structuredError;

  private WebSocketCommandStreams(
      WebSocketConnection connection, CommandOptions options, boolean structuredError) {
    this.connection = connection;
    this.options = options;
    this.structuredError = structuredError;
  }

  static Set<Integer> inputChannels() {
    return Set.of(STDIN, RESIZE);
  }

  /** Tells the client by an empty message that it is connected. */
  static CommandStreams begin(
      WebSocketConnection connection, CommandOptions options, String protocol) throws IOException {
    int first = options.stdout() ? STDOUT : options.stderr() ? STDERR : ERROR;
    connection.output(first).write(new byte[0]);
    boolean structured =
        protocol.equals("v5.channel.k8s.io") || protocol.equals("v4.channel.k8s.io");
    return new WebSocketCommandStreams(connection, options, structured);
  }

  @Override
  public InputStream stdin() {
    return connection.input(STDIN);
  }

  @Override
  public OutputStream stdout() {
    return options.stdout() ? connection.output(STDOUT) : OutputStream.nullOutputStream();
  }

  @Override
  public OutputStream stderr() {
    return options.stderr() ? connection.output(STDERR) : OutputStream.nullOutputStream();
  }

  @Override
  public InputStream resize() {
    return connection.input(RESIZE);
  }

  @Override
  public void onClose(Runnable action) {
    connection.onClose(action);
  }

  @Override
  public boolean isOpen() {
    return connection.isOpen();
  }

  @Override
  public void finish(CommandStatus status) throws IOException {
    connection.closeInputs();
    byte[] outcome = structuredError ? status.toJson() : status.toText();
    if (outcome.length > 0) {
      connection.output(ERROR).write(outcome);
    }
    connection.finish();
  }

  @Override
  public void close() {
    connection.close();
  }
}
