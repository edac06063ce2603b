package dev.berth.portlayer.vsphere.client;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.HexFormat;
import java.util.Locale;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/** By what a vCenter is known to be the right one. There is no way not to look. */
public sealed interface Trust {
  /** The authorities that this machine trusts. */
  record Machine() implements Trust {}

  /**
   * @param file certificates in PEM
   */
  record Authority(Path file) implements Trust {}

  /**
   * One certificate, whatever its name and whoever signed it.
   *
   * @param sha256 64 hexadecimal digits, with or without colons
   */
  record Thumbprint(String sha256) implements Trust {
    public Thumbprint {
      sha256 = sha256.replace(":", "").toLowerCase(Locale.ROOT);
      if (!sha256.matches("[0-9a-f]{64}")) {
        throw new IllegalArgumentException("a SHA-256 thumbprint has 64 hexadecimal digits");
      }
    }
  }

  /**
   * @throws PortLayerException INVALID_ARGUMENT when the authority's file cannot be used
   */
  default SSLContext context() {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, managers(), null);
      return context;
    } catch (GeneralSecurityException | IOException e) {
      throw new PortLayerException(
          Code.INVALID_ARGUMENT, "Cannot use the certificates of " + this + ": " + e, e);
    }
  }

  private TrustManager[] managers() throws GeneralSecurityException, IOException {
    if (this instanceof Thumbprint(String sha256)) {
      return new TrustManager[] {new Pinned(sha256)};
    }
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(this instanceof Authority(Path file) ? authorities(file) : null);
    return factory.getTrustManagers();
  }

  private static KeyStore authorities(Path file) throws GeneralSecurityException, IOException {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    try (InputStream pem = Files.newInputStream(file)) {
      for (Certificate certificate :
          CertificateFactory.getInstance("X.509").generateCertificates(pem)) {
        store.setCertificateEntry("authority-" + store.size(), certificate);
      }
    }
    if (store.size() == 0) {
      throw new CertificateException(file + " holds no certificate");
    }
    return store;
  }

  /** Being of the extended kind, it is asked instead of the check of the host's name. */
  final class Pinned extends X509ExtendedTrustManager {
    private final String expected;

    private Pinned(String expected) {
      this.expected = expected;
    }

    private void check(X509Certificate[] chain) throws CertificateException {
      String found;
      try {
        found =
            HexFormat.of()
                .formatHex(MessageDigest.getInstance("SHA-256").digest(chain[0].getEncoded()));
      } catch (GeneralSecurityException e) {
        throw new CertificateException(e);
      }
      if (!found.equals(expected)) {
        throw new CertificateException(
            "its SHA-256 thumbprint is %s, and not %s".formatted(found, expected));
      }
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      check(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      check(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      check(chain);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      throw new CertificateException("no client is expected");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      throw new CertificateException("no client is expected");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      throw new CertificateException("no client is expected");
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
