package dev.berth.provider.api;

/** A pod or a container that is not there; the caller gets the HTTP status and the message. */
public final class PodLookupException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int status;

  /**
   * @param status an HTTP status, 400 to 599
   */
  public PodLookupException(int status, String message) {
    super(message);
    if (status < 400 || status > 599) {
      throw new IllegalArgumentException("status must be 400 to 599, is " + status);
    }
    this.status = status;
  }

  public int status() {
    return status;
  }
}
