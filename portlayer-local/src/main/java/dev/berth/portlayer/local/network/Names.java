package dev.berth.portlayer.local.network;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * Names of things that all VCHs of a host share, so they are told apart by a hash: an interface's
 * name has 15 characters at most.
 */
public final class Names {
  private Names() {}

  static String bridge(String vch, String network) {
    return "bb" + hash(vch + "/" + network, 5);
  }

  /** The interface of an endpoint; it exists while its VM runs. */
  public static String tap(String vch, String endpoint) {
    return "bt" + hash(vch + "/" + endpoint, 6);
  }

  static String table(String vch) {
    return "berth-" + vch;
  }

  /** The beginning of a SHA-256 in hexadecimal. */
  public static String hash(String text, int bytes) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest, 0, bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
