package dev.berth.provider.api;

import dev.berth.portlayer.interaction.ExecSpec.TerminalSize;
import dev.berth.portlayer.interaction.ProcessSession;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.time.Duration;
import java.util.Optional;

/** A connection to a port of this machine. */
final class SocketSession implements ProcessSession {
  private final Socket socket;
  private final InputStream input;
  private final OutputStream output;

  SocketSession(Socket socket) throws IOException {
    this.socket = socket;
    this.input = socket.getInputStream();
    this.output =
        new FilterOutputStream(socket.getOutputStream()) {
          @Override
          public void write(byte[] source, int offset, int length) throws IOException {
            out.write(source, offset, length);
          }

          @Override
          public void close() throws IOException {
            socket.shutdownOutput();
          }
        };
  }

  @Override
  public OutputStream stdin() {
    return output;
  }

  @Override
  public InputStream stdout() {
    return input;
  }

  @Override
  public InputStream stderr() {
    return InputStream.nullInputStream();
  }

  @Override
  public void resize(TerminalSize size) {}

  @Override
  public Optional<Exit> awaitExit(Duration timeout) {
    return Optional.of(new Exit(0, ""));
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
