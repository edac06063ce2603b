package dev.berth.provider.kube;

/** The API server refused a request or could not be asked. */
public final class ApiException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int status;

  /**
   * @param status the HTTP status, 0 when there was no answer
   */
  ApiException(int status, String message, Throwable cause) {
    super(message, cause);
    this.status = status;
  }

  ApiException(int status, String message) {
    super(message);
    this.status = status;
  }

  public int status() {
    return status;
  }

  /** Whether the object is not there, or is another one of the same name. */
  public boolean absent() {
    return status == 404 || status == 409;
  }
}
