package dev.berth.provider.api;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import javax.net.ssl.SSLSocket;

/** A TLS connection on which a test writes what it likes. */
final class RawClient implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final SSLSocket socket;

  RawClient(TestServer server) throws Exception {
    socket =
        (SSLSocket)
            TestServer.trust(server.certificates.file("authority.crt"))
                .getSocketFactory()
                .createSocket("127.0.0.1", server.server.address().getPort());
    socket.setSoTimeout((int) PATIENCE.toMillis());
    socket.startHandshake();
  }

  OutputStream output() throws IOException {
    return socket.getOutputStream();
  }

  InputStream input() throws IOException {
    return socket.getInputStream();
  }

  /** Sends a request and reads the head of its answer. */
  String request(String head) throws IOException {
    output().write((head + "\r\nHost: node-1\r\n\r\n").getBytes(ISO_8859_1));
    output().flush();
    var answer = new ByteArrayOutputStream();
    while (!answer.toString(ISO_8859_1).endsWith("\r\n\r\n")) {
      int next = input().read();
      if (next < 0) {
        break;
      }
      answer.write(next);
    }
    return answer.toString(ISO_8859_1);
  }

  /** Asks for an exec of cat over SPDY. */
  String upgrade(String protocols) throws IOException {
    return request(
        "POST /exec/default/web/app?command=cat&input=1&output=1 HTTP/1.1\r\n"
            + "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\nContent-Length: 0"
            + (protocols.isEmpty() ? "" : "\r\nX-Stream-Protocol-Version: " + protocols));
  }

  /** Whether the server closes before the patience ends, whatever it says until then. */
  boolean isClosedByServer() {
    try {
      input().transferTo(OutputStream.nullOutputStream());
      return true;
    } catch (java.net.SocketTimeoutException e) {
      return false;
    } catch (IOException e) {
      return true;
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
