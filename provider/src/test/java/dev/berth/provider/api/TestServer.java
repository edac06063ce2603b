package dev.berth.provider.api;

import dev.berth.provider.api.auth.Authenticator;
import dev.berth.provider.api.auth.Authorizer;
import dev.berth.provider.api.auth.Caller;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** A server on a free port of the loopback, and an HTTP client that trusts it. */
final class TestServer implements AutoCloseable {
  static final Caller API_SERVER =
      new Caller("kube-apiserver", Optional.empty(), List.of("system:masters"), Map.of());

  final HostProcesses containers = new HostProcesses();
  final OnePod pods = new OnePod();
  final Certificates certificates;
  final PrometheusMeterRegistry meters = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  final KubeletApiServer server;
  final HttpClient client;

  /** Lets everybody in. */
  static TestServer open(Path directory) throws Exception {
    return new TestServer(
        directory, (chain, token) -> Optional.of(API_SERVER), (caller, verb, subresource) -> true);
  }

  TestServer(Path directory, Authenticator authenticator, Authorizer authorizer) throws Exception {
    certificates = new Certificates(directory);
    if (!Files.exists(certificates.file("server.crt"))) {
      certificates.authority("authority");
      certificates.signed("server", "authority", "/CN=node-1");
    }
    server =
        KubeletApiServer.start(
            configuration(), pods, containers, authenticator, authorizer, meters);
    client = httpClient(trust(certificates.file("authority.crt")));
  }

  private KubeletApiConfiguration configuration() {
    return new KubeletApiConfiguration(
        "node-1",
        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
        certificates.file("server.crt"),
        certificates.file("server.key"),
        Optional.of(certificates.file("authority.crt")),
        Duration.ofSeconds(2),
        Duration.ofMinutes(5),
        Duration.ofMillis(200));
  }

  static HttpClient httpClient(SSLContext context) {
    return HttpClient.newBuilder()
        .version(HttpClient.Version.HTTP_1_1)
        .connectTimeout(Duration.ofSeconds(10))
        .sslContext(context)
        .build();
  }

  static SSLContext trust(Path authority) throws IOException, GeneralSecurityException {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    try (var input = Files.newInputStream(authority)) {
      store.setCertificateEntry(
          "authority", CertificateFactory.getInstance("X.509").generateCertificate(input));
    }
    var factory = TrustManagerFactory.getInstance("PKIX");
    factory.init(store);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, factory.getTrustManagers(), null);
    return context;
  }

  String url(String path) {
    return "https://127.0.0.1:" + server.address().getPort() + path;
  }

  HttpResponse<String> get(String path) throws IOException, InterruptedException {
    return client.send(request(path), HttpResponse.BodyHandlers.ofString());
  }

  HttpRequest request(String path) {
    return HttpRequest.newBuilder(URI.create(url(path))).timeout(Duration.ofSeconds(30)).build();
  }

  @Override
  public void close() throws InterruptedException {
    server.close();
    containers.endAll();
  }
}
