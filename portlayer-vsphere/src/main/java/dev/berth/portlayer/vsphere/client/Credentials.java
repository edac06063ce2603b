package dev.berth.portlayer.vsphere.client;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** Who logs in. A secret is in a file, which is read again at each login: it may be rotated. */
public sealed interface Credentials {
  /**
   * @param file holds the password; one line break at its end does not belong to it
   */
  record Password(String user, Path file) implements Credentials {}

  /**
   * @param file holds a token that vCenter's identity provider has issued
   */
  record Token(Path file) implements Credentials {}

  /** For people. */
  default String describe() {
    return switch (this) {
      case Password password -> "user " + password.user();
      case Token token -> "the token in " + token.file();
    };
  }

  /**
   * What the file holds, the caller's to wipe.
   *
   * @throws PortLayerException UNAUTHENTICATED when it holds nothing or cannot be read
   */
  default char[] secret() {
    Path file =
        switch (this) {
          case Password password -> password.file();
          case Token token -> token.file();
        };
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(file);
    } catch (IOException e) {
      throw new PortLayerException(
          Code.UNAUTHENTICATED, "Cannot read the secret of " + describe() + " from " + file, e);
    }
    CharBuffer text = StandardCharsets.UTF_8.decode(ByteBuffer.wrap(bytes));
    int end = text.limit();
    while (end > 0 && (text.get(end - 1) == '\n' || text.get(end - 1) == '\r')) {
      end--;
    }
    char[] secret = new char[end];
    text.get(secret);
    Arrays.fill(bytes, (byte) 0);
    Arrays.fill(text.array(), '\0');
    if (end == 0) {
      throw new PortLayerException(Code.UNAUTHENTICATED, file + " is empty");
    }
    return secret;
  }
}
