package dev.berth.provider.api;

import dev.berth.portlayer.interaction.LogLine;
import dev.berth.portlayer.interaction.LogRequest;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** The query of containerLogs, which is a v1.PodLogOptions, judged as the kubelet does. */
record LogOptions(
    boolean follow,
    boolean previous,
    boolean timestamps,
    Optional<Instant> since,
    OptionalLong tailLines,
    OptionalLong limitBytes,
    Optional<LogLine.Stream> stream) {

  /**
   * @throws ApiException 400 for what cannot be read, 422 for what is out of range
   */
  static LogOptions parse(ApiRequest request, Instant now) {
    OptionalLong seconds = number(request, "sinceSeconds");
    Optional<Instant> time = time(request);
    OptionalLong tail = tail(request);
    OptionalLong limit = number(request, "limitBytes");
    Optional<String> stream = request.parameter("stream");
    boolean one = stream.isPresent() && !stream.get().equals("All");
    require(tail.isEmpty() || tail.getAsLong() >= 0);
    require(limit.isEmpty() || limit.getAsLong() >= 1);
    require(seconds.isEmpty() || (time.isEmpty() && seconds.getAsLong() >= 1));
    require(!(one && tail.isPresent()));
    return new LogOptions(
        flag(request, "follow"),
        flag(request, "previous"),
        flag(request, "timestamps"),
        seconds.isPresent() ? Optional.of(before(now, seconds.getAsLong())) : time,
        tail,
        limit,
        stream.flatMap(LogOptions::stream));
  }

  LogRequest toRequest(int attempt) {
    return new LogRequest(OptionalInt.of(attempt), follow, since, tailLines, stream);
  }

  private static Instant before(Instant now, long seconds) {
    return seconds > now.getEpochSecond() ? Instant.EPOCH : now.minusSeconds(seconds);
  }

  private static void require(boolean valid) {
    if (!valid) {
      throw new ApiException(422, "{\"message\": \"Invalid request.\"}");
    }
  }

  private static ApiException undecodable() {
    return new ApiException(400, "{\"message\": \"Unable to decode query.\"}");
  }

  private static Optional<LogLine.Stream> stream(String name) {
    return switch (name) {
      case "All" -> Optional.empty();
      case "Stdout" -> Optional.of(LogLine.Stream.STDOUT);
      case "Stderr" -> Optional.of(LogLine.Stream.STDERR);
      default -> throw new ApiException(422, "{\"message\": \"Invalid request.\"}");
    };
  }

  /** As Kubernetes reads booleans: present means true, unless it says otherwise. */
  private static boolean flag(ApiRequest request, String name) {
    return request
        .parameter(name)
        .map(value -> value.toLowerCase(Locale.ROOT))
        .filter(value -> !value.equals("false") && !value.equals("0"))
        .isPresent();
  }

  /** The old name {@code tail} wins over tailLines, and "all" is no limit. */
  private static OptionalLong tail(ApiRequest request) {
    Optional<String> old = request.parameter("tail").filter(value -> !value.isEmpty());
    if (old.isEmpty()) {
      return number(request, "tailLines");
    }
    return old.get().equals("all") ? OptionalLong.empty() : number(request, "tail");
  }

  private static OptionalLong number(ApiRequest request, String name) {
    Optional<String> text = request.parameter(name);
    if (text.isEmpty()) {
      return OptionalLong.empty();
    }
    try {
      return OptionalLong.of(Long.parseLong(text.get()));
    } catch (NumberFormatException e) {
      throw undecodable();
    }
  }

  private static Optional<Instant> time(ApiRequest request) {
    Optional<String> text = request.parameter("sinceTime").filter(value -> !value.isEmpty());
    try {
      return text.map(value -> OffsetDateTime.parse(value).toInstant());
    } catch (DateTimeParseException e) {
      throw undecodable();
    }
  }
}
