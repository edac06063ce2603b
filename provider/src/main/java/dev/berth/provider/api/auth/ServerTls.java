package dev.berth.provider.api.auth;

import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * TLS as a kubelet offers it: a client certificate is asked for, and judged not by the handshake
 * but by the {@link Authenticator}, so that a stranger gets an answer that says 401.
 */
public final class ServerTls {
  private final ReloadingFiles<SslContext> contexts;

  /**
   * @throws IllegalArgumentException when a file cannot be used
   */
  public ServerTls(Path certificate, Path privateKey, Optional<Path> clientAuthority) {
    List<Path> files =
        clientAuthority
            .map(authority -> List.of(certificate, privateKey, authority))
            .orElse(List.of(certificate, privateKey));
    this.contexts =
        new ReloadingFiles<>(files, () -> load(certificate, privateKey, clientAuthority));
  }

  /** Of the present files. */
  public SslContext context() {
    return contexts.get();
  }

  private static SslContext load(Path certificate, Path privateKey, Optional<Path> clientAuthority)
      throws IOException, GeneralSecurityException {
    X509Certificate[] authorities =
        clientAuthority.isPresent()
            ? PemFiles.certificates(clientAuthority.get()).toArray(X509Certificate[]::new)
            : new X509Certificate[0];
    return SslContextBuilder.forServer(
            PemFiles.privateKey(privateKey),
            PemFiles.certificates(certificate).toArray(X509Certificate[]::new))
        .sslProvider(SslProvider.JDK)
        .protocols("TLSv1.3", "TLSv1.2")
        .clientAuth(clientAuthority.isPresent() ? ClientAuth.OPTIONAL : ClientAuth.NONE)
        .trustManager(new AskingTrustManager(authorities))
        .build();
  }

  /** Names the authorities to the client and leaves the judgement to the authenticator. */
  private static final class AskingTrustManager extends X509ExtendedTrustManager {
    private final X509Certificate[] authorities;

    AskingTrustManager(X509Certificate[] authorities) {
      this.authorities = authorities;
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {
      throw new UnsupportedOperationException();
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return authorities.clone();
    }
  }
}
