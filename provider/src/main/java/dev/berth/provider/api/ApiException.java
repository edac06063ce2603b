package dev.berth.provider.api;

/** Ends a request with an HTTP status and a plain text, before anything was answered. */
final class ApiException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int status;

  ApiException(int status, String message) {
    super(message);
    this.status = status;
  }

  int status() {
    return status;
  }
}
