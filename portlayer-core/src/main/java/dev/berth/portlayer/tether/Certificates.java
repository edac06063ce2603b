package dev.berth.portlayer.tether;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import java.io.IOException;
import java.io.StringWriter;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Date;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** Makes keys and certificates: elliptic curve P-256, which both ends do fast. */
final class Certificates {
  /**
   * A guest's clock is set only when its process starts, and a VM may live for years: what ends a
   * certificate's use is the end of its VM.
   */
  private static final int VALID_DAYS = 3650 * 3;

  private static final SecureRandom RANDOM = new SecureRandom();

  private Certificates() {}

  record Issued(X509Certificate certificate, PrivateKey key) {}

  static KeyPair newKeyPair() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec("secp256r1"));
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new PortLayerException(Code.INTERNAL, "cannot make an elliptic curve key", e);
    }
  }

  static X509Certificate authority(String commonName, KeyPair pair) {
    try {
      X509v3CertificateBuilder builder =
          builder(commonName, pair.getPublic(), null)
              .addExtension(Extension.basicConstraints, true, new BasicConstraints(0))
              .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign));
      return sign(builder, pair.getPrivate());
    } catch (IOException | GeneralSecurityException | OperatorCreationException e) {
      throw new PortLayerException(Code.INTERNAL, "cannot make the VCH's certificate", e);
    }
  }

  static X509Certificate leaf(
      String commonName,
      String dnsName,
      KeyPurposeId purpose,
      PublicKey key,
      X509Certificate issuer,
      PrivateKey issuerKey) {
    try {
      X509v3CertificateBuilder builder =
          builder(commonName, key, issuer)
              .addExtension(Extension.basicConstraints, true, new BasicConstraints(false))
              .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature))
              .addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(purpose))
              .addExtension(
                  Extension.subjectAlternativeName,
                  false,
                  new GeneralNames(new GeneralName(GeneralName.dNSName, dnsName)));
      return sign(builder, issuerKey);
    } catch (IOException | GeneralSecurityException | OperatorCreationException e) {
      throw new PortLayerException(Code.INTERNAL, "cannot make a certificate for " + commonName, e);
    }
  }

  static String pem(Object certificateOrKey) {
    StringWriter text = new StringWriter();
    try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
      // Written as PKCS #8, which Go's and the JDK's readers take for every kind of key.
      writer.writeObject(
          certificateOrKey instanceof PrivateKey key
              ? new org.bouncycastle.util.io.pem.PemObject("PRIVATE KEY", key.getEncoded())
              : certificateOrKey);
    } catch (IOException e) {
      throw new PortLayerException(Code.INTERNAL, "cannot encode a certificate or key", e);
    }
    return text.toString();
  }

  private static X509v3CertificateBuilder builder(
      String commonName, PublicKey key, @org.jspecify.annotations.Nullable X509Certificate issuer) {
    var subject = new X500NameBuilder().addRDN(BCStyle.CN, commonName).build();
    var authority =
        issuer == null
            ? subject
            : org.bouncycastle.asn1.x500.X500Name.getInstance(
                issuer.getSubjectX500Principal().getEncoded());
    Instant now = Instant.now();
    return new JcaX509v3CertificateBuilder(
        authority,
        new BigInteger(127, RANDOM).setBit(0),
        // A guest whose clock is an hour behind must still accept it.
        Date.from(now.minus(1, ChronoUnit.DAYS)),
        Date.from(now.plus(VALID_DAYS, ChronoUnit.DAYS)),
        subject,
        key);
  }

  private static X509Certificate sign(X509v3CertificateBuilder builder, PrivateKey key)
      throws OperatorCreationException, GeneralSecurityException {
    return new JcaX509CertificateConverter()
        .getCertificate(builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(key)));
  }
}
