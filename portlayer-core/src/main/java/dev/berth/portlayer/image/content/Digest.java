package dev.berth.portlayer.image.content;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * The digest of a piece of content, {@code sha256:…} or {@code sha512:…}.
 *
 * @param algorithm sha256 or sha512
 * @param hex lower-case hexadecimal, of the algorithm's length; safe as a file name
 */
public record Digest(String algorithm, String hex) {
  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");
  private static final Pattern SHA512 = Pattern.compile("[0-9a-f]{128}");

  public Digest {
    boolean valid =
        switch (algorithm) {
          case "sha256" -> SHA256.matcher(hex).matches();
          case "sha512" -> SHA512.matcher(hex).matches();
          default -> false;
        };
    if (!valid) {
      throw new IllegalArgumentException(
          "invalid digest \"%s:%s\": must be sha256: and 64 or sha512: and 128 lower-case hexadecimal digits"
              .formatted(algorithm, hex));
    }
  }

  /**
   * Reads {@code algorithm:hex}.
   *
   * @throws IllegalArgumentException when it is anything else
   */
  public static Digest parse(String text) {
    int colon = text.indexOf(':');
    if (colon < 0) {
      throw new IllegalArgumentException(
          "invalid digest \"%s\": must look like sha256:<64 hexadecimal digits>".formatted(text));
    }
    return new Digest(text.substring(0, colon), text.substring(colon + 1));
  }

  /** The SHA-256 digest of some bytes. */
  public static Digest of(byte[] content) {
    return new Digest(
        "sha256", HexFormat.of().formatHex(newMessageDigest("sha256").digest(content)));
  }

  /** A fresh computation of this digest's algorithm. */
  public MessageDigest newMessageDigest() {
    return newMessageDigest(algorithm);
  }

  /** Ends a computation begun with {@link #newMessageDigest()}. */
  public Digest finish(MessageDigest computation) {
    return new Digest(algorithm, HexFormat.of().formatHex(computation.digest()));
  }

  private static MessageDigest newMessageDigest(String algorithm) {
    try {
      return MessageDigest.getInstance(algorithm.equals("sha512") ? "SHA-512" : "SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has " + algorithm, e);
    }
  }

  @Override
  public String toString() {
    return algorithm + ":" + hex;
  }
}
