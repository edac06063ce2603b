package dev.berth.portlayer.tether;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.HexFormat;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;

/**
 * The certificate authority of one VCH, which nobody else trusts: it vouches for the control plane
 * towards the containerVMs and for each containerVM towards the control plane. Its key lives in the
 * VCH's directory, readable by the owner alone. Safe for use by many threads.
 */
public final class VchAuthority {
  private static final String FILE = "authority.pem";

  private final X509Certificate certificate;
  private final PrivateKey key;
  private final Certificates.Issued controlPlane;

  private VchAuthority(X509Certificate certificate, PrivateKey key) {
    this.certificate = certificate;
    this.key = key;
    this.controlPlane = issue("control-plane", "control-plane", KeyPurposeId.id_kp_clientAuth);
  }

  /**
   * The authority kept in a directory, made there when it is missing.
   *
   * @throws PortLayerException INTERNAL when it cannot be read or written, CORRUPT when the file is
   *     not an authority
   */
  public static VchAuthority open(Path directory) {
    Path file = directory.resolve(FILE);
    try {
      if (!Files.exists(file)) {
        create(directory, file);
      }
      return read(file);
    } catch (IOException e) {
      throw new PortLayerException(Code.INTERNAL, "cannot open the VCH's authority " + file, e);
    } catch (GeneralSecurityException e) {
      throw new PortLayerException(Code.CORRUPT, file + " is not a certificate and its key", e);
    }
  }

  /** What a containerVM needs to prove who it is: PEM texts. */
  public record Identity(String certificate, String key, String authority) {
    @Override
    public String toString() {
      return "Identity[]";
    }
  }

  /** A new key and certificate for one containerVM. */
  public Identity issue(String containerVmId) {
    Certificates.Issued issued =
        issue(containerVmId, serverName(containerVmId), KeyPurposeId.id_kp_serverAuth);
    return new Identity(
        Certificates.pem(issued.certificate()), Certificates.pem(issued.key()), pem());
  }

  /** Its certificate as a PEM text, by which a guest knows its control plane. No secret. */
  public String pem() {
    return Certificates.pem(certificate);
  }

  /**
   * The name a containerVM's certificate carries. An id may be longer than a host name's label can
   * be, so the name is derived from it.
   */
  static String serverName(String containerVmId) {
    return "vm-" + HexFormat.of().formatHex(digest(containerVmId), 0, 20) + ".berth";
  }

  /** The SHA-256 of a containerVM's id. */
  static byte[] digest(String containerVmId) {
    try {
      return MessageDigest.getInstance("SHA-256")
          .digest(containerVmId.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    } catch (GeneralSecurityException e) {
      throw new PortLayerException(Code.INTERNAL, "SHA-256 is missing", e);
    }
  }

  X509Certificate certificate() {
    return certificate;
  }

  Certificates.Issued controlPlane() {
    return controlPlane;
  }

  private Certificates.Issued issue(String commonName, String dnsName, KeyPurposeId purpose) {
    KeyPair pair = Certificates.newKeyPair();
    return new Certificates.Issued(
        Certificates.leaf(commonName, dnsName, purpose, pair.getPublic(), certificate, key),
        pair.getPrivate());
  }

  private static void create(Path directory, Path file) throws IOException {
    KeyPair pair = Certificates.newKeyPair();
    X509Certificate certificate = Certificates.authority("Berth VCH", pair);
    Path unfinished =
        Files.createTempFile(
            directory,
            ".authority",
            null,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(
        unfinished,
        Certificates.pem(certificate) + Certificates.pem(pair.getPrivate()),
        StandardOpenOption.SYNC);
    try {
      // A link, unlike a rename, lets the first of two processes win.
      Files.createLink(file, unfinished);
    } catch (java.nio.file.FileAlreadyExistsException e) {
      // The other one's authority is as good.
    } finally {
      Files.delete(unfinished);
    }
  }

  private static VchAuthority read(Path file) throws IOException, GeneralSecurityException {
    String text = Files.readString(file);
    X509Certificate certificate =
        (X509Certificate)
            CertificateFactory.getInstance("X.509").generateCertificate(Files.newInputStream(file));
    try (PEMParser parser = new PEMParser(new StringReader(text))) {
      for (Object object = parser.readObject(); object != null; object = parser.readObject()) {
        if (object instanceof PrivateKeyInfo info) {
          return new VchAuthority(certificate, new JcaPEMKeyConverter().getPrivateKey(info));
        }
      }
    }
    throw new GeneralSecurityException("no private key");
  }
}
