package dev.berth.provider.api;

import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A request without its body: nothing of this API has one.
 *
 * @param path undecoded, without the query
 * @param segments of the path, decoded one by one
 */
record ApiRequest(
    String method,
    String uri,
    String path,
    List<String> segments,
    Map<String, List<String>> query,
    HttpHeaders headers) {
  static ApiRequest of(FullHttpRequest request) {
    var decoder = new QueryStringDecoder(request.uri());
    String path = decoder.rawPath();
    try {
      return new ApiRequest(
          request.method().name(),
          request.uri(),
          path,
          segments(path),
          decoder.parameters(),
          request.headers());
    } catch (IllegalArgumentException e) {
      throw new ApiException(400, "The request's URL has an unfinished escape");
    }
  }

  private static List<String> segments(String path) {
    return Arrays.stream(path.split("/", -1))
        .skip(1)
        .map(
            part ->
                QueryStringDecoder.decodeComponent(
                    part.replace("+", "%2B"), StandardCharsets.UTF_8))
        .toList();
  }

  Optional<String> parameter(String name) {
    List<String> values = query.get(name);
    return values == null || values.isEmpty() ? Optional.empty() : Optional.of(values.getFirst());
  }

  /** Whether a parameter is 1 or true, as the kubelet takes streams. */
  boolean flag(String name) {
    return parameter(name).filter(value -> value.equals("1") || value.equals("true")).isPresent();
  }

  boolean asksUpgradeTo(String protocol) {
    return headerHas("connection", "upgrade") && headerHas("upgrade", protocol);
  }

  private boolean headerHas(String name, String token) {
    return headers.getAll(name).stream()
        .anyMatch(value -> value.toLowerCase(Locale.ROOT).contains(token.toLowerCase(Locale.ROOT)));
  }

  /** The values of a header that may be repeated or hold a list. */
  List<String> headerList(String name) {
    return headers.getAll(name).stream()
        .flatMap(value -> Arrays.stream(value.split(",")))
        .map(String::strip)
        .filter(value -> !value.isEmpty())
        .toList();
  }
}
