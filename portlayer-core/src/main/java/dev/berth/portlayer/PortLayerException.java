package dev.berth.portlayer;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The one failure of the port layer. The message is written for the person who has to act on it: it
 * names what was refused and, where there is one, the remedy; it never holds a secret.
 */
public final class PortLayerException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** What kind of failure it was; what a caller may do depends on nothing else. */
  public enum Code {
    /** The thing named does not exist: an image tag, a disk, a containerVM. */
    NOT_FOUND,
    /** Something else with the same identity exists. */
    ALREADY_EXISTS,
    /** The arguments can never work. */
    INVALID_ARGUMENT,
    /** The present state forbids it; it may work later. */
    FAILED_PRECONDITION,
    /** Credentials were missing or refused. */
    UNAUTHENTICATED,
    /** Forbidden by a rule: an allow-list, a privilege. */
    PERMISSION_DENIED,
    /** No room: memory, disk, addresses. */
    RESOURCE_EXHAUSTED,
    /** The other side cannot be reached now; repeating is worth it. */
    UNAVAILABLE,
    /** The deadline passed; the operation may still complete. */
    DEADLINE_EXCEEDED,
    /** The backend cannot do this at all. */
    UNSUPPORTED,
    /** Data does not match its digest or its format. */
    CORRUPT,
    /** The calling thread was interrupted; its interrupt flag is set. */
    INTERRUPTED,
    /** A defect of Berth or of something below it. */
    INTERNAL
  }

  private final Code code;

  public PortLayerException(Code code, String message) {
    this(code, message, null);
  }

  public PortLayerException(Code code, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.code = Objects.requireNonNull(code, "code");
  }

  /** Sets the thread's interrupt flag again and says what was being done. */
  public static PortLayerException interrupted(String doing, InterruptedException cause) {
    Thread.currentThread().interrupt();
    return new PortLayerException(Code.INTERRUPTED, "Interrupted while " + doing, cause);
  }

  public Code code() {
    return code;
  }
}
