package dev.berth.provider.lifecycle;

/**
 * Something to tell the pod's owner.
 *
 * @param warning whether its type is Warning instead of Normal
 */
public record PodEvent(boolean warning, String reason, String message) {
  public static PodEvent normal(String reason, String message) {
    return new PodEvent(false, reason, message);
  }

  public static PodEvent warning(String reason, String message) {
    return new PodEvent(true, reason, message);
  }
}
