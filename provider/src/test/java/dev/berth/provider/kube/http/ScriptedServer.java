package dev.berth.provider.kube.http;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A server on the loopback that does on each of its connections what a test says. */
public final class ScriptedServer implements AutoCloseable {
  private static final Pattern LENGTH = Pattern.compile("(?i)\r\nContent-Length: ([0-9]+)\r\n");

  /** What happens on a connection; it is closed at the end. */
  @FunctionalInterface
  public interface Script {
    void serve(Peer peer) throws IOException;
  }

  /** A connection from the server's side. */
  public static final class Peer {
    private final ScriptedServer server;
    private final Socket socket;
    private final InputStream in;

    private Peer(ScriptedServer server, Socket socket) throws IOException {
      this.server = server;
      this.socket = socket;
      this.in = new BufferedInputStream(socket.getInputStream());
    }

    public Socket socket() {
      return socket;
    }

    /** The next request, head and body; fails at the end of the connection. */
    public String request() throws IOException {
      StringBuilder head = new StringBuilder();
      while (head.length() < 4 || !head.substring(head.length() - 4).equals("\r\n\r\n")) {
        int next = in.read();
        if (next < 0) {
          throw new EOFException("no request");
        }
        head.append((char) next);
      }
      Matcher length = LENGTH.matcher(head);
      byte[] body = in.readNBytes(length.find() ? Integer.parseInt(length.group(1)) : 0);
      String request = head + new String(body, StandardCharsets.UTF_8);
      server.requests.add(request);
      return request;
    }

    public void say(String text) throws IOException {
      socket.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
    }

    /** An answer after which the connection is kept. */
    public void answer(int status, String body) throws IOException {
      int length = body.getBytes(StandardCharsets.UTF_8).length;
      say("HTTP/1.1 %d Said\r\nContent-Length: %d\r\n\r\n%s".formatted(status, length, body));
    }

    /** Waits until the client closes. */
    public void awaitEnd() throws IOException {
      while (in.read() >= 0) {
        // Whatever it says meanwhile.
      }
    }
  }

  private final ServerSocket listener;
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();
  private final List<String> requests = new CopyOnWriteArrayList<>();

  /**
   * @param listener on the loopback
   * @param script of each connection
   */
  public ScriptedServer(ServerSocket listener, Script script) {
    this.listener = listener;
    Thread.ofVirtual().start(() -> accept(script));
  }

  /** One that does not encrypt. */
  public static ScriptedServer plain(Script script) throws IOException {
    return new ScriptedServer(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()), script);
  }

  private void accept(Script script) {
    try {
      while (true) {
        Socket socket = listener.accept();
        sockets.add(socket);
        Thread.ofVirtual().start(() -> serve(script, socket));
      }
    } catch (IOException closed) {
      // As it is to end.
    }
  }

  private void serve(Script script, Socket socket) {
    try (socket) {
      script.serve(new Peer(this, socket));
    } catch (IOException gone) {
      // The client ends a connection when it likes.
    }
  }

  public int port() {
    return listener.getLocalPort();
  }

  /** How many connections there have been. */
  public int connections() {
    return sockets.size();
  }

  /** Every request so far, head and body. */
  public List<String> requests() {
    return requests;
  }

  @Override
  public void close() throws IOException {
    listener.close();
    for (Socket socket : sockets) {
      socket.close();
    }
  }
}
