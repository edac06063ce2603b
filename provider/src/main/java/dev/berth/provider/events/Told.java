package dev.berth.provider.events;

import io.fabric8.kubernetes.api.model.ObjectReference;
import java.time.Instant;

/** Something told about an object. */
record Told(ObjectReference about, boolean warning, String reason, String message, Instant at) {
  /** What makes two of them the same, to be counted instead of repeated. */
  record Same(String uid, boolean warning, String reason, String message) {}

  Same same() {
    return new Same(about.getUid(), warning, reason, message);
  }
}
