package dev.berth.provider.api.auth;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.naming.NamingException;
import javax.naming.directory.Attribute;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Verifies client certificates: the common name is the user, the organizations are its groups. */
final class ClientCertificates {
  private static final Logger log = LoggerFactory.getLogger(ClientCertificates.class);

  private final ReloadingFiles<X509TrustManager> authorities;

  ClientCertificates(Path authorityFile) {
    this.authorities = new ReloadingFiles<>(List.of(authorityFile), () -> trust(authorityFile));
  }

  private static X509TrustManager trust(Path file) throws IOException, GeneralSecurityException {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    int number = 0;
    for (X509Certificate authority : PemFiles.certificates(file)) {
      store.setCertificateEntry("authority-" + number++, authority);
    }
    var factory = TrustManagerFactory.getInstance("PKIX");
    factory.init(store);
    for (TrustManager manager : factory.getTrustManagers()) {
      if (manager instanceof X509TrustManager trusting) {
        return trusting;
      }
    }
    throw new GeneralSecurityException("the JDK has no trust manager for X.509");
  }

  /** Who the chain proves its holder to be; empty when it proves nothing. */
  Optional<Caller> verify(List<X509Certificate> chain) {
    X509Certificate own = chain.getFirst();
    try {
      authorities
          .get()
          .checkClientTrusted(
              chain.toArray(X509Certificate[]::new), own.getPublicKey().getAlgorithm());
      return caller(own);
    } catch (CertificateException | NamingException e) {
      log.info("Client certificate refused: {}", e.getMessage());
      return Optional.empty();
    }
  }

  private static Optional<Caller> caller(X509Certificate certificate)
      throws NamingException, CertificateException {
    String name = "";
    var groups = new ArrayList<String>();
    for (Rdn part : new LdapName(certificate.getSubjectX500Principal().getName()).getRdns()) {
      // A part may hold several attributes, joined by a plus sign.
      for (Attribute attribute : Collections.list(part.toAttributes().getAll())) {
        switch (attribute.getID()) {
          case "CN" -> name = String.valueOf(attribute.get());
          case "O" -> groups.add(String.valueOf(attribute.get()));
          default -> {
            // Other parts of the name mean nothing to Kubernetes.
          }
        }
      }
    }
    if (name.isEmpty()) {
      return Optional.empty();
    }
    groups.add(ClusterAuthenticator.EVERYBODY);
    return Optional.of(new Caller(name, Optional.empty(), groups, credential(certificate)));
  }

  /** As the API server marks who came by which certificate. */
  private static Map<String, List<String>> credential(X509Certificate certificate)
      throws CertificateException {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded());
      return Map.of(
          "authentication.kubernetes.io/credential-id",
          List.of("X509SHA256=" + HexFormat.of().formatHex(digest)));
    } catch (java.security.NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
