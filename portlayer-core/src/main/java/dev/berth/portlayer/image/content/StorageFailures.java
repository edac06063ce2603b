package dev.berth.portlayer.image.content;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Says what a failed write or read of the datastore means to the caller. */
public final class StorageFailures {
  private StorageFailures() {}

  /**
   * RESOURCE_EXHAUSTED for a full datastore, INTERRUPTED for an interrupt, INTERNAL for the rest.
   *
   * @param doing begins the message, such as {@code failed to store layer sha256:…}
   */
  public static PortLayerException of(String doing, IOException failure) {
    if (failure instanceof ClosedByInterruptException
        || failure instanceof InterruptedIOException) {
      Thread.currentThread().interrupt();
      return new PortLayerException(Code.INTERRUPTED, doing + ": interrupted", failure);
    }
    if (isFull(failure.getMessage())) {
      return full(doing, failure);
    }
    return new PortLayerException(Code.INTERNAL, doing + ": " + describe(failure), failure);
  }

  /** A datastore with no room left. */
  public static PortLayerException full(String doing, @Nullable Throwable cause) {
    return new PortLayerException(
        Code.RESOURCE_EXHAUSTED,
        doing + ": no space left on device: remove images or enlarge the datastore",
        cause);
  }

  /** Whether a message of the operating system or of a tool speaks of a full disk. */
  public static boolean isFull(@Nullable String message) {
    if (message == null) {
      return false;
    }
    String lower = message.toLowerCase(Locale.ROOT);
    return lower.contains("no space left")
        || lower.contains("disk quota exceeded")
        || lower.contains("file too large");
  }

  /** A failure's own words, or its kind when it has none. */
  public static String describe(Throwable failure) {
    String message = failure.getMessage();
    return message == null || message.isBlank()
        ? failure.getClass().getSimpleName()
        : failure.getClass().getSimpleName() + ": " + message;
  }
}
