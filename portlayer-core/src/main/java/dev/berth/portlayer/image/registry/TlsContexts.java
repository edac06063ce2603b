package dev.berth.portlayer.image.registry;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/** TLS contexts that trust further certificate authorities beside the platform's. */
final class TlsContexts {
  private TlsContexts() {}

  /**
   * A context that trusts the platform's authorities and those of a PEM file.
   *
   * @throws PortLayerException FAILED_PRECONDITION when the file is unreadable or holds none
   */
  static SSLContext trusting(Path file) {
    try {
      KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
      store.load(null, null);
      int count = 0;
      for (X509Certificate platform : trustManager(null).getAcceptedIssuers()) {
        store.setCertificateEntry("platform-" + count++, platform);
      }
      for (Certificate extra : certificates(file)) {
        store.setCertificateEntry("extra-" + count++, extra);
      }
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, new TrustManager[] {trustManager(store)}, null);
      return context;
    } catch (IOException | GeneralSecurityException e) {
      throw new PortLayerException(
          Code.FAILED_PRECONDITION,
          "cannot read certificate authorities from "
              + file
              + ": must be a PEM file of certificates",
          e);
    }
  }

  private static Iterable<? extends Certificate> certificates(Path file)
      throws IOException, GeneralSecurityException {
    try (InputStream input = Files.newInputStream(file)) {
      var found = CertificateFactory.getInstance("X.509").generateCertificates(input);
      if (found.isEmpty()) {
        throw new GeneralSecurityException("no certificate");
      }
      return found;
    }
  }

  private static X509TrustManager trustManager(@Nullable KeyStore store)
      throws GeneralSecurityException {
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    return Arrays.stream(factory.getTrustManagers())
        .filter(X509TrustManager.class::isInstance)
        .map(X509TrustManager.class::cast)
        .findFirst()
        .orElseThrow(() -> new GeneralSecurityException("no X.509 trust manager"));
  }
}
