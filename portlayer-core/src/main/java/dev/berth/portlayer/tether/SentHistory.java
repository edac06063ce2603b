package dev.berth.portlayer.tether;

import java.util.Arrays;

/** What a session has sent and may have to send again. For one thread. */
final class SentHistory {
  /** The first byte of {@link #kept} is this one of the session. */
  private long first;

  private byte[] kept = new byte[0];

  void add(byte[] bytes) {
    int before = kept.length;
    kept = Arrays.copyOf(kept, before + bytes.length);
    System.arraycopy(bytes, 0, kept, before, bytes.length);
  }

  /** Forgets what was received; false when that is not a position in the history. */
  boolean confirm(long received) {
    if (received < first || received - first > kept.length) {
      return false;
    }
    kept = Arrays.copyOfRange(kept, (int) (received - first), kept.length);
    first = received;
    return true;
  }

  byte[] kept() {
    return kept.clone();
  }

  int length() {
    return kept.length;
  }
}
