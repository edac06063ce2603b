package dev.berth.portlayer.compute;

import java.time.Instant;
import java.util.Objects;

/** What the container's process is doing. An attempt is one start of it: 0 for the first. */
public sealed interface ProcessState {
  /** No attempt was ever made. */
  record NotStarted() implements ProcessState {}

  /** Attempt {@code attempt} runs since {@code startedAt}. */
  record Running(int attempt, Instant startedAt) implements ProcessState {
    public Running {
      Objects.requireNonNull(startedAt, "startedAt");
    }
  }

  /**
   * Attempt {@code attempt} is over.
   *
   * @param startedAt equal to {@code finishedAt} when it never started
   * @param exitCode 0 to 255; 128 plus the signal when one ended it
   * @param signal 0 when none ended it
   * @param message the termination message, or why it could not be started; at most 4,096 bytes
   */
  record Exited(
      int attempt,
      Instant startedAt,
      Instant finishedAt,
      int exitCode,
      int signal,
      Reason reason,
      String message)
      implements ProcessState {
    public Exited {
      Objects.requireNonNull(startedAt, "startedAt");
      Objects.requireNonNull(finishedAt, "finishedAt");
      Objects.requireNonNull(reason, "reason");
      Objects.requireNonNull(message, "message");
    }
  }

  /** Why a process is over. */
  enum Reason {
    /** It ended by itself with exit code 0. */
    COMPLETED,
    /** It ended with another exit code or by a signal. */
    ERROR,
    /** The guest's kernel ended it for want of memory. */
    OUT_OF_MEMORY,
    /** It could not be started: command not found, unknown user, … */
    START_ERROR,
    /** Its VM went away under it: killed, powered off, host failure. Exit code 137. */
    VM_LOST;

    /** From a tether's word for it; {@link #ERROR} for one that is not known. */
    public static Reason of(String told) {
      return switch (told) {
        case "Completed" -> COMPLETED;
        case "OOMKilled" -> OUT_OF_MEMORY;
        case "StartError" -> START_ERROR;
        default -> ERROR;
      };
    }
  }
}
