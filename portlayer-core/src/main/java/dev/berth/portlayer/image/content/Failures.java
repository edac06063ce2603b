package dev.berth.portlayer.image.content;

import dev.berth.portlayer.PortLayerException;

/** Puts failures into the words of who asked. */
public final class Failures {
  private Failures() {}

  /** The same failure, its message begun with what was being done. */
  public static PortLayerException during(String doing, PortLayerException failure) {
    return new PortLayerException(failure.code(), doing + ": " + failure.getMessage(), failure);
  }
}
