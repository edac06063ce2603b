package dev.berth.portlayer.tether;

import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.HexFormat;
import java.util.Optional;
import java.util.function.Supplier;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Trusts the one certificate that a guest has made for its boot and whose SHA-256 it has told where
 * nobody else can tell it: names, dates and issuers mean nothing then.
 */
final class FingerprintTrust extends X509ExtendedTrustManager {
  private final String containerVmId;
  private final Supplier<Optional<String>> told;

  /**
   * @param told 64 hexadecimal digits, asked for at each handshake; empty while there are none
   */
  FingerprintTrust(String containerVmId, Supplier<Optional<String>> told) {
    this.containerVmId = containerVmId;
    this.told = told;
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String keyType)
      throws CertificateException {
    Optional<String> expected = told.get();
    if (expected.isEmpty() || !expected.get().equals(fingerprint(chain[0]))) {
      throw new CertificateException(
          "containerVM %s has not told of the certificate that it shows".formatted(containerVmId));
    }
  }

  private static String fingerprint(X509Certificate certificate) throws CertificateException {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded());
      return HexFormat.of().formatHex(digest);
    } catch (GeneralSecurityException e) {
      throw new CertificateException("a certificate without a fingerprint", e);
    }
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String keyType, Socket socket)
      throws CertificateException {
    checkServerTrusted(chain, keyType);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String keyType, SSLEngine engine)
      throws CertificateException {
    checkServerTrusted(chain, keyType);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String keyType)
      throws CertificateException {
    throw new CertificateException("this is no server");
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String keyType, Socket socket)
      throws CertificateException {
    checkClientTrusted(chain, keyType);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String keyType, SSLEngine engine)
      throws CertificateException {
    checkClientTrusted(chain, keyType);
  }

  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return new X509Certificate[0];
  }
}
