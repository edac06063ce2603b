package dev.berth.provider.api.stream;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/** How an exec or attach ended: the parts of a metav1.Status that a client reads. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record CommandStatus(
    Map<String, String> metadata,
    String status,
    @Nullable String message,
    @Nullable String reason,
    @Nullable Details details,
    @Nullable Integer code) {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  /** Why. */
  public record Details(List<Cause> causes) {}

  /** One cause. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Cause(@Nullable String reason, String message) {}

  /** The command ended with exit code 0. */
  public static CommandStatus success() {
    return new CommandStatus(Map.of(), "Success", null, null, null, null);
  }

  /** The command ended with another exit code. */
  public static CommandStatus exited(int exitCode) {
    return exitCode == 0
        ? success()
        : new CommandStatus(
            Map.of(),
            "Failure",
            "command terminated with non-zero exit code: exit status " + exitCode,
            "NonZeroExitCode",
            new Details(List.of(new Cause("ExitCode", Integer.toString(exitCode)))),
            null);
  }

  /** The command could not be run, or its end could not be learned. */
  public static CommandStatus failed(String message) {
    return new CommandStatus(
        Map.of(),
        "Failure",
        "Internal error occurred: " + message,
        "InternalError",
        new Details(List.of(new Cause(null, message))),
        500);
  }

  boolean isSuccess() {
    return status.equals("Success");
  }

  byte[] toJson() {
    return JSON.writeValueAsBytes(this);
  }

  /** As clients older than v4 read it: text, and nothing on success. */
  byte[] toText() {
    return isSuccess() || message == null
        ? new byte[0]
        : message.getBytes(java.nio.charset.StandardCharsets.UTF_8);
  }
}
