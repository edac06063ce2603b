package dev.berth.portlayer.image.layer;

import java.io.IOException;

/** A layer's archive breaks the tar format or asks for what no layer may do. */
public final class CorruptArchiveException extends IOException {
  private static final long serialVersionUID = 1L;

  public CorruptArchiveException(String message) {
    super(message);
  }
}
