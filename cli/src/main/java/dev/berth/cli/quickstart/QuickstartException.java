package dev.berth.cli.quickstart;

/**
 * The installation cannot go on; the message tells the user why in one line, or a line and the end
 * of a log.
 */
final class QuickstartException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  QuickstartException(String message) {
    super(message);
  }

  QuickstartException(String message, Throwable cause) {
    super(message, cause);
  }
}
