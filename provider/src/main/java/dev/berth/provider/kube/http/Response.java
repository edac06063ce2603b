package dev.berth.provider.kube.http;

import java.util.Map;
import java.util.Optional;

/**
 * An answer, read to its end.
 *
 * @param headers by name in any case; those of one name joined by commas
 */
@SuppressWarnings("ArrayRecordComponent") // nobody compares answers
public record Response(int status, Map<String, String> headers, byte[] body) {

  public Optional<String> header(String name) {
    return Optional.ofNullable(headers.get(name));
  }

  public boolean success() {
    return status >= 200 && status < 300;
  }
}
