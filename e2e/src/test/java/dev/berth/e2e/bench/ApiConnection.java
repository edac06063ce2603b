package dev.berth.e2e.bench;

import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/**
 * One kept-alive HTTP/1.1 connection to the API server: a client that takes as little as possible
 * of the processors it shares with what is measured. For one thread.
 */
final class ApiConnection implements AutoCloseable {
  private static final String METADATA =
      "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

  private final SSLSocket socket;
  private final String host;
  private final InputStream in;
  private final OutputStream out;

  ApiConnection(SSLContext context, URI server) throws IOException {
    this.host = server.getAuthority();
    this.socket = (SSLSocket) context.getSocketFactory().createSocket();
    socket.connect(new InetSocketAddress(server.getHost(), server.getPort()));
    socket.setTcpNoDelay(true);
    this.in = new BufferedInputStream(socket.getInputStream(), 1 << 16);
    this.out = socket.getOutputStream();
  }

  /** Posts a JSON body and reads the answer away; returns its status. */
  int post(String path, byte[] body) throws IOException {
    request("POST", path, body);
    Head head = head();
    InputStream answer = head.body(in);
    answer.skipNBytes(head.length());
    if (head.chunked()) {
      answer.transferTo(OutputStream.nullOutputStream());
    }
    return head.status();
  }

  /**
   * The events of a watch, one a line, with the objects' metadata only. Ends with the connection.
   */
  BufferedReader watch(String path) throws IOException {
    request("GET", path, new byte[0]);
    Head head = head();
    if (head.status() != 200) {
      throw new IOException("watch of %s: %d".formatted(path, head.status()));
    }
    return new BufferedReader(new InputStreamReader(head.body(in), StandardCharsets.UTF_8));
  }

  private void request(String method, String path, byte[] body) throws IOException {
    byte[] head =
        "%s %s HTTP/1.1\r\nHost: %s\r\nAccept: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            .formatted(method, path, host, METADATA, body.length)
            .getBytes(StandardCharsets.US_ASCII);
    byte[] request = new byte[head.length + body.length];
    System.arraycopy(head, 0, request, 0, head.length);
    System.arraycopy(body, 0, request, head.length, body.length);
    out.write(request);
  }

  /** The beginning of an answer; the length is 0 when it is chunked. */
  private record Head(int status, long length, boolean chunked) {
    InputStream body(InputStream in) {
      return chunked ? new Chunks(in) : in;
    }
  }

  private Head head() throws IOException {
    int status = Integer.parseInt(line(in).split(" ", 3)[1]);
    long length = 0;
    boolean chunked = false;
    for (String field = line(in); !field.isEmpty(); field = line(in)) {
      String lower = field.toLowerCase(Locale.ROOT);
      if (lower.startsWith("content-length:")) {
        length = Long.parseLong(lower.substring("content-length:".length()).strip());
      }
      chunked |= lower.equals("transfer-encoding: chunked");
    }
    return new Head(status, length, chunked);
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int next = in.read(); next != '\n'; next = in.read()) {
      if (next < 0) {
        throw new EOFException("the API server closed the connection");
      }
      if (next != '\r') {
        line.append((char) next);
      }
    }
    return line.toString();
  }

  /** What is in the chunks of a chunked body. */
  private static final class Chunks extends InputStream {
    private final InputStream in;
    private int left;
    private boolean begun;
    private boolean ended;

    private Chunks(InputStream in) {
      this.in = in;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      if (left == 0) {
        nextChunk();
      }
      if (ended) {
        return -1;
      }
      int read = in.read(bytes, offset, Math.min(length, left));
      left -= Math.max(read, 0);
      return read;
    }

    private void nextChunk() throws IOException {
      if (ended) {
        return;
      }
      if (begun) {
        line(in);
      }
      begun = true;
      left = Integer.parseInt(line(in), 16);
      if (left == 0) {
        line(in);
        ended = true;
      }
    }
  }

  /** Also ends a request under way. Idempotent. */
  @Override
  public void close() throws IOException {
    socket.close();
  }
}
