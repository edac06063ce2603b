package dev.berth.provider.kube.http;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.ProtocolException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Reads the answers of one connection by the rules of RFC 9112. Whatever could be understood in two
 * ways is an error, and after an error or an answer without a clear end the connection is not to be
 * used again.
 */
final class ResponseReader {
  private static final int HEAD_LIMIT = 64 << 10;
  private static final int BODY_LIMIT = 64 << 20;
  private static final int SWITCHING_PROTOCOLS = 101;
  private static final int OK = 200;
  private static final int NO_CONTENT = 204;
  private static final int NOT_MODIFIED = 304;

  private final InputStream in;
  private final byte[] buffer = new byte[16 << 10];
  private int position;
  private int limit;
  private int headBytes;
  private boolean begun;
  private boolean reusable;

  private record Head(boolean persistent, int status, Map<String, String> headers) {}

  ResponseReader(InputStream in) {
    this.in = in;
  }

  /** To be called before a request is sent. */
  void expect() {
    begun = false;
    reusable = false;
    headBytes = 0;
  }

  /** The answer to the request that was sent. */
  Response read() throws IOException {
    Head head = finalHead();
    boolean framed = framed(head);
    byte[] body = body(head);
    reusable = head.persistent() && framed && position == limit;
    return new Response(head.status(), head.headers(), body);
  }

  /**
   * The answer to the request that was sent, when it is a success that may go on for long: its body
   * is empty here and comes from {@link #stream}.
   */
  Response readHead() throws IOException {
    Head head = finalHead();
    if (head.status() != OK) {
      return new Response(head.status(), head.headers(), body(head));
    }
    if (!"chunked".equalsIgnoreCase(head.headers().get("Transfer-Encoding"))) {
      throw new ProtocolException("the answer does not come in chunks");
    }
    return new Response(head.status(), head.headers(), new byte[0]);
  }

  /** What is in the chunks, as they come. */
  InputStream stream() {
    return new Chunks();
  }

  private final class Chunks extends InputStream {
    private int left;
    private boolean ended;

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      if (left == 0 && !ended) {
        left = nextChunk();
        ended = left == 0;
      }
      if (ended) {
        return -1;
      }
      int read = some(bytes, offset, Math.min(length, left));
      left -= read;
      if (left == 0) {
        endChunk();
      }
      return read;
    }
  }

  private int some(byte[] bytes, int offset, int length) throws IOException {
    if (position == limit && !fill()) {
      throw new EOFException("the connection ended within the answer");
    }
    int read = Math.min(length, limit - position);
    System.arraycopy(buffer, position, bytes, offset, read);
    position += read;
    return read;
  }

  /** Whether a byte of the answer came. */
  boolean begun() {
    return begun;
  }

  /** Whether another request may follow the answer that was read. */
  boolean reusable() {
    return reusable;
  }

  private Head finalHead() throws IOException {
    Head head = head();
    while (head.status() < OK) {
      if (head.status() == SWITCHING_PROTOCOLS) {
        throw new ProtocolException("the server switched protocols unasked");
      }
      head = head();
    }
    return head;
  }

  private Head head() throws IOException {
    String status = line();
    // HTTP/1.1 200 OK
    if (!status.matches("HTTP/1\\.[01] [1-9][0-9][0-9]( .*)?")) {
      throw new ProtocolException("the answer does not begin as one of HTTP/1.1");
    }
    Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    for (String field = line(); !field.isEmpty(); field = line()) {
      int colon = field.indexOf(':');
      if (colon < 1 || field.charAt(0) <= ' ' || field.charAt(colon - 1) <= ' ') {
        throw new ProtocolException("the answer has a malformed header");
      }
      headers.merge(
          field.substring(0, colon), field.substring(colon + 1).strip(), (a, b) -> a + ", " + b);
    }
    boolean close = names(headers, "Connection", "close");
    return new Head(
        status.startsWith("HTTP/1.1") && !close, Integer.parseInt(status, 9, 12, 10), headers);
  }

  private static boolean names(Map<String, String> headers, String header, String token) {
    return Arrays.stream(headers.getOrDefault(header, "").split(",", -1))
        .anyMatch(value -> value.strip().equalsIgnoreCase(token));
  }

  /** Whether the end of the body is told in just one way. */
  private static boolean framed(Head head) {
    boolean chunked = head.headers().containsKey("Transfer-Encoding");
    boolean measured = head.headers().containsKey("Content-Length");
    return empty(head) || chunked != measured;
  }

  private static boolean empty(Head head) {
    return head.status() == NO_CONTENT || head.status() == NOT_MODIFIED;
  }

  private byte[] body(Head head) throws IOException {
    if (empty(head)) {
      return new byte[0];
    }
    String coding = head.headers().get("Content-Encoding");
    if (coding != null && !coding.equalsIgnoreCase("identity")) {
      throw new ProtocolException("the answer is encoded as " + coding + ", unasked");
    }
    String transfer = head.headers().get("Transfer-Encoding");
    if (transfer != null) {
      if (!transfer.equalsIgnoreCase("chunked")) {
        throw new ProtocolException("the answer comes as " + transfer);
      }
      return chunks();
    }
    String length = head.headers().get("Content-Length");
    return length == null ? rest() : exactly(length(length));
  }

  /** The same length may be told several times. */
  private static int length(String header) throws IOException {
    String[] values = header.split(",", -1);
    String value = values[0].strip();
    for (String other : values) {
      if (!other.strip().equals(value)) {
        throw new ProtocolException("the answer has several lengths");
      }
    }
    if (!value.matches("[0-9]{1,18}")) {
      throw new ProtocolException("the answer's length is no number");
    }
    return checked(Long.parseLong(value));
  }

  private static int checked(long length) throws IOException {
    if (length > BODY_LIMIT) {
      throw new ProtocolException("the answer is longer than %d bytes".formatted(BODY_LIMIT));
    }
    return (int) length;
  }

  private byte[] chunks() throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    for (int size = nextChunk(); size > 0; size = nextChunk()) {
      var _ = checked((long) body.size() + size);
      body.write(exactly(size));
      endChunk();
    }
    return body.toByteArray();
  }

  /** Its size; 0 after the last one, with which the answer is read. */
  private int nextChunk() throws IOException {
    int size = chunkSize();
    if (size == 0) {
      while (!line().isEmpty()) {
        // Trailers say nothing that is needed here.
      }
    }
    return size;
  }

  private void endChunk() throws IOException {
    if (!line().isEmpty()) {
      throw new ProtocolException("a chunk is longer than it says");
    }
  }

  private int chunkSize() throws IOException {
    headBytes = 0;
    String line = line();
    int extension = line.indexOf(';');
    String size = (extension < 0 ? line : line.substring(0, extension)).strip();
    if (!size.toLowerCase(Locale.ROOT).matches("[0-9a-f]{1,8}")) {
      throw new ProtocolException("a chunk's size is no number");
    }
    return checked(Long.parseLong(size, 16));
  }

  private byte[] exactly(int length) throws IOException {
    byte[] bytes = new byte[length];
    int have = Math.min(length, limit - position);
    System.arraycopy(buffer, position, bytes, 0, have);
    position += have;
    while (have < length) {
      int read = in.read(bytes, have, length - have);
      if (read < 0) {
        throw new EOFException("the connection ended within the answer");
      }
      have += read;
    }
    return bytes;
  }

  private byte[] rest() throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    do {
      body.write(buffer, position, limit - position);
      position = limit;
      var _ = checked(body.size());
    } while (fill());
    return body.toByteArray();
  }

  private String line() throws IOException {
    StringBuilder line = new StringBuilder(64);
    while (true) {
      int end = position;
      while (end < limit && buffer[end] != '\n') {
        end++;
      }
      headBytes += end - position + 1;
      if (headBytes > HEAD_LIMIT) {
        throw new ProtocolException(
            "the answer's head is longer than %d bytes".formatted(HEAD_LIMIT));
      }
      line.append(new String(buffer, position, end - position, StandardCharsets.ISO_8859_1));
      if (end < limit) {
        position = end + 1;
        int last = line.length() - 1;
        return last >= 0 && line.charAt(last) == '\r' ? line.substring(0, last) : line.toString();
      }
      if (!fill()) {
        throw new EOFException(
            begun ? "the connection ended within the answer" : "the server closed the connection");
      }
    }
  }

  private boolean fill() throws IOException {
    position = 0;
    limit = 0;
    int read = in.read(buffer);
    if (read < 0) {
      return false;
    }
    limit = read;
    begun = true;
    return true;
  }
}
