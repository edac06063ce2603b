package dev.berth.provider.translate;

/** A volume cannot be filled now: the kubelet's FailedMount. */
public final class VolumeException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public VolumeException(String message) {
    super(message);
  }
}
