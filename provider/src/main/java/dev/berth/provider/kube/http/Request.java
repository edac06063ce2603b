package dev.berth.provider.kube.http;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;

/**
 * A request.
 *
 * @param target the path and query, as they go on the wire: encoded already
 * @param headers without those of the connection and of the body's length, which are added
 * @param repeatable whether to have it carried out twice does no harm: then it is sent again when
 *     the server closed a kept connection just as it was used
 */
@SuppressWarnings("ArrayRecordComponent") // nobody compares requests
public record Request(
    String method, String target, Map<String, String> headers, byte[] body, boolean repeatable) {
  private static final Set<String> METHODS = Set.of("GET", "POST", "PUT", "PATCH", "DELETE");

  public Request {
    if (!METHODS.contains(method)) {
      throw new IllegalArgumentException("method %s is not supported".formatted(method));
    }
    if (!target.startsWith("/") || !target.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
      throw new IllegalArgumentException("%s is no path of a request".formatted(target));
    }
    headers = Map.copyOf(headers);
    headers.forEach(Request::check);
  }

  /** A line break in a value would begin another header. The value may be a secret. */
  private static void check(String name, String value) {
    if (!value.chars().allMatch(c -> c >= ' ' && c < 0x7f)) {
      throw new IllegalArgumentException(
          "header %s has a value of other characters".formatted(name));
    }
  }

  /** Head and body in one piece, so that they leave together. */
  byte[] encoded(String authority) {
    StringBuilder head = new StringBuilder(512);
    head.append(method).append(' ').append(target).append(" HTTP/1.1\r\n");
    head.append("Host: ").append(authority).append("\r\n");
    headers.forEach((name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
    if (body.length > 0 || !method.equals("GET")) {
      head.append("Content-Length: ").append(body.length).append("\r\n");
    }
    byte[] bytes = head.append("\r\n").toString().getBytes(StandardCharsets.US_ASCII);
    byte[] request = new byte[bytes.length + body.length];
    System.arraycopy(bytes, 0, request, 0, bytes.length);
    System.arraycopy(body, 0, request, bytes.length, body.length);
    return request;
  }

  /** Without headers, which may hold a secret. */
  @Override
  public String toString() {
    return method + " " + target;
  }
}
