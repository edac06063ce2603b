package dev.berth.provider.api.auth;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Certificates and keys in the PEM forms that Kubernetes' tools write. Failures name the file, and
 * never hold a piece of it.
 */
public final class PemFiles {
  private static final Pattern BLOCK =
      Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([^-]+)-----END \\1-----");
  private static final byte[] VERSION = {2, 1, 0};
  private static final byte[] RSA_ALGORITHM = {
    0x30, 13, 6, 9, 0x2a, (byte) 0x86, 0x48, (byte) 0x86, (byte) 0xf7, 13, 1, 1, 1, 5, 0
  };
  private static final byte[] EC_IDENTIFIER = {
    6, 7, 0x2a, (byte) 0x86, 0x48, (byte) 0xce, 0x3d, 2, 1
  };
  private static final int SEQUENCE = 0x30;
  private static final int OCTET_STRING = 4;
  private static final int EC_PARAMETERS_TAG = 0xa0;

  @SuppressWarnings("ArrayRecordComponent") // nobody compares blocks
  private record Block(String type, byte[] content) {}

  private PemFiles() {}

  /** Every certificate of a file, in its order; at least one. */
  public static List<X509Certificate> certificates(Path file)
      throws IOException, GeneralSecurityException {
    var factory = CertificateFactory.getInstance("X.509");
    var result = new ArrayList<X509Certificate>();
    for (Block block : blocks(file)) {
      if (block.type.equals("CERTIFICATE")) {
        result.add(
            (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(block.content)));
      }
    }
    if (result.isEmpty()) {
      throw new IOException(file + " holds no CERTIFICATE: name a PEM file with one");
    }
    return result;
  }

  /** The first private key of a file. */
  public static PrivateKey privateKey(Path file) throws IOException, GeneralSecurityException {
    for (Block block : blocks(file)) {
      switch (block.type) {
        case "PRIVATE KEY" -> {
          return pkcs8(file, block.content);
        }
        case "RSA PRIVATE KEY" -> {
          return pkcs8(file, wrap(RSA_ALGORITHM, block.content));
        }
        case "EC PRIVATE KEY" -> {
          byte[] algorithm =
              element(SEQUENCE, concatenate(EC_IDENTIFIER, curve(file, block.content)));
          return pkcs8(file, wrap(algorithm, block.content));
        }
        case "ENCRYPTED PRIVATE KEY" -> throw new IOException(file + " is encrypted; decrypt it");
        default -> {
          // Parameters and certificates may stand beside the key.
        }
      }
    }
    throw new IOException(file + " holds no PRIVATE KEY: name a PEM file with one");
  }

  private static List<Block> blocks(Path file) throws IOException {
    Matcher matcher = BLOCK.matcher(Files.readString(file, StandardCharsets.ISO_8859_1));
    var result = new ArrayList<Block>();
    while (matcher.find()) {
      try {
        result.add(new Block(matcher.group(1), Base64.getMimeDecoder().decode(matcher.group(2))));
      } catch (IllegalArgumentException e) {
        throw new IOException(file + " has a PEM block that is not base64", e);
      }
    }
    return result;
  }

  private static PrivateKey pkcs8(Path file, byte[] encoded)
      throws IOException, GeneralSecurityException {
    var specification = new PKCS8EncodedKeySpec(encoded);
    for (String algorithm : List.of("RSA", "EC", "EdDSA")) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(specification);
      } catch (InvalidKeySpecException e) {
        // The next algorithm may fit.
      }
    }
    throw new IOException(file + " holds no RSA, EC or Ed25519 key");
  }

  /** PKCS#8 is a version, an algorithm, and the older form of the key within a string. */
  private static byte[] wrap(byte[] algorithm, byte[] key) {
    return element(SEQUENCE, concatenate(VERSION, algorithm, element(OCTET_STRING, key)));
  }

  /** The curve's object identifier out of a SEC1 key: the content of its [0] element. */
  private static byte[] curve(Path file, byte[] key) throws IOException {
    int position = contentStart(key, 0);
    while (position + 1 < key.length) {
      int start = contentStart(key, position);
      int end = start + contentLength(key, position);
      if ((key[position] & 0xff) == EC_PARAMETERS_TAG && end <= key.length) {
        return Arrays.copyOfRange(key, start, end);
      }
      position = end;
    }
    throw new IOException(file + " does not name the curve of its EC key");
  }

  private static int contentStart(byte[] encoded, int position) {
    int first = encoded[position + 1] & 0xff;
    return position + 2 + (first < 0x80 ? 0 : first & 0x7f);
  }

  private static int contentLength(byte[] encoded, int position) {
    int first = encoded[position + 1] & 0xff;
    if (first < 0x80) {
      return first;
    }
    int length = 0;
    for (int i = 0; i < (first & 0x7f); i++) {
      length = (length << 8) | (encoded[position + 2 + i] & 0xff);
    }
    return length;
  }

  private static byte[] element(int tag, byte[] content) {
    var out = new ByteArrayOutputStream();
    out.write(tag);
    if (content.length < 0x80) {
      out.write(content.length);
    } else {
      out.write(0x82);
      out.write(content.length >> 8);
      out.write(content.length);
    }
    out.writeBytes(content);
    return out.toByteArray();
  }

  private static byte[] concatenate(byte[]... parts) {
    var out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }
}
