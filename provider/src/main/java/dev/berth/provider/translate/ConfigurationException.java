package dev.berth.provider.translate;

/**
 * A container cannot be made as its pod configures it: the kubelet's CreateContainerConfigError.
 */
public final class ConfigurationException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public ConfigurationException(String message) {
    super(message);
  }
}
