package dev.berth.portlayer.compute;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.ProcessState.Exited;
import dev.berth.portlayer.compute.ProcessState.Reason;
import dev.berth.portlayer.compute.ProcessState.Running;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * One state that a tether tells.
 *
 * @param bootId differs at every boot
 * @param sequence rises by one with every state of a boot
 * @param ready whether the guest takes a process or has one
 * @param process what its process does; empty when it tells of none: the last attempt may be of an
 *     earlier boot
 * @param message of a guest that gave up, why it did
 */
public record GuestReport(
    String bootId, long sequence, boolean ready, Optional<ProcessState> process, String message) {
  private static final JsonMapper JSON = JsonMapper.shared();

  /**
   * Reads a line of JSON, as a tether writes it to its state port and to guestinfo.
   *
   * @return empty when it is none
   * @throws PortLayerException CORRUPT when it is one with a time that is none
   */
  public static Optional<GuestReport> parse(String line) {
    try {
      return Optional.of(JSON.readTree(line)).filter(JsonNode::isObject).map(GuestReport::of);
    } catch (JacksonException e) {
      return Optional.empty();
    }
  }

  private static GuestReport of(JsonNode state) {
    Optional<ProcessState> process =
        switch (text(state, "phase")) {
          case "RUNNING" -> Optional.of(new Running(attempt(state), time(state, "startedAt")));
          // Without times, it is no attempt that ended: the guest gave up before it took one.
          case "EXITED" -> state.has("finishedAt") ? Optional.of(exited(state)) : Optional.empty();
          default -> Optional.empty();
        };
    return new GuestReport(
        text(state, "bootId"),
        state.path("sequence").asLong(0),
        process.isPresent() || text(state, "phase").equals("READY"),
        process,
        text(state, "message"));
  }

  private static Exited exited(JsonNode state) {
    Instant finished = time(state, "finishedAt");
    return new Exited(
        attempt(state),
        state.has("startedAt") ? time(state, "startedAt") : finished,
        finished,
        state.path("exitCode").asInt(0),
        state.path("signal").asInt(0),
        Reason.of(text(state, "reason")),
        text(state, "message"));
  }

  private static int attempt(JsonNode state) {
    return state.path("attempt").asInt(0);
  }

  private static String text(JsonNode state, String field) {
    return state.path(field).asString("");
  }

  private static Instant time(JsonNode state, String field) {
    String text = text(state, field);
    try {
      return Instant.parse(text);
    } catch (DateTimeException e) {
      throw new PortLayerException(
          Code.CORRUPT, "the state's %s \"%s\" is no RFC 3339 time".formatted(field, text), e);
    }
  }
}
