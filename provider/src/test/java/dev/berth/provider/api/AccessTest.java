package dev.berth.provider.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.provider.api.auth.ClusterAuthenticator;
import dev.berth.provider.api.auth.ClusterAuthorizer;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who gets in, and where. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class AccessTest {
  @TempDir static Path directory;
  private ReviewServer reviews;
  private KubernetesClient cluster;
  private TestServer server;

  @BeforeAll
  static void makeCertificates() throws Exception {
    var certificates = new Certificates(directory);
    certificates.authority("authority");
    certificates.authority("stranger");
    certificates.signed("server", "authority", "/CN=node-1");
    certificates.signed("apiserver", "authority", "/O=system:masters/CN=kube-apiserver");
    certificates.signed("nobody", "authority", "/CN=nobody");
    certificates.signed("foreign", "stranger", "/O=system:masters/CN=kube-apiserver");
    for (String name : List.of("apiserver", "nobody", "foreign")) {
      certificates.openssl(
          "pkcs12",
          "-export",
          "-in",
          name + ".crt",
          "-inkey",
          name + ".key",
          "-out",
          name + ".p12",
          "-passout",
          "pass:secret");
    }
  }

  @BeforeEach
  void start() throws Exception {
    reviews = new ReviewServer();
    Config config =
        new ConfigBuilder(Config.empty())
            .withMasterUrl(reviews.url())
            .withRequestRetryBackoffLimit(0)
            .build();
    cluster = new KubernetesClientBuilder().withConfig(config).build();
    server =
        new TestServer(
            directory,
            new ClusterAuthenticator(cluster, Optional.of(directory.resolve("authority.crt"))),
            new ClusterAuthorizer(cluster, "node-1"));
  }

  @AfterEach
  void stop() throws Exception {
    server.close();
    cluster.close();
    reviews.close();
  }

  private HttpResponse<String> get(String certificate, String token, String path) throws Exception {
    HttpClient client =
        certificate.isEmpty() ? server.client : TestServer.httpClient(context(certificate));
    HttpRequest.Builder request =
        HttpRequest.newBuilder(server.request(path), (name, value) -> true);
    if (!token.isEmpty()) {
      request.header("Authorization", "Bearer " + token);
    }
    return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  /** A context that presents NAME.crt whatever authorities the server names. */
  private static SSLContext context(String name) throws Exception {
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (var input = Files.newInputStream(directory.resolve(name + ".p12"))) {
      keys.load(input, "secret".toCharArray());
    }
    var keyManagers = KeyManagerFactory.getInstance("PKIX");
    keyManagers.init(keys, "secret".toCharArray());
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    try (var input = Files.newInputStream(directory.resolve("authority.crt"))) {
      trusted.setCertificateEntry(
          "authority",
          java.security.cert.CertificateFactory.getInstance("X.509").generateCertificate(input));
    }
    var trustManagers = TrustManagerFactory.getInstance("PKIX");
    trustManagers.init(trusted);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keyManagers.getKeyManagers(), trustManagers.getTrustManagers(), null);
    return context;
  }

  @ParameterizedTest
  @CsvSource({
    "'','',/healthz,401",
    "'','',/no/such/path,401",
    "'',wrong,/healthz,401",
    "foreign,'',/healthz,401",
    "apiserver,'',/healthz,200",
    "apiserver,'',/no/such/path,404",
    "apiserver,wrong,/pods,200",
    "nobody,'',/healthz,403",
    "'',viewer-token,/metrics,200",
    "'',viewer-token,/pods,403",
    "'',viewer-token,/containerLogs/default/web/app,403",
    "foreign,viewer-token,/metrics,200",
  })
  void accessIsWhatTheClusterSays(String certificate, String token, String path, int status)
      throws Exception {
    assertEquals(status, get(certificate, token, path).statusCode());
  }

  @Test
  void refusalNamesWhatWasAsked() throws Exception {
    assertEquals("Unauthorized", get("", "", "/pods").body());
    assertEquals(
        "Forbidden (user=nobody, verb=get, resource=nodes, subresource(s)=[pods proxy])\n",
        get("nobody", "", "/pods").body());
  }

  @Test
  void answersOfTheClusterAreRemembered() throws Exception {
    for (int i = 0; i < 3; i++) {
      assertEquals(200, get("", "viewer-token", "/metrics").statusCode());
      assertEquals(401, get("", "wrong", "/metrics").statusCode());
    }
    assertEquals(2, reviews.tokenReviews.get());
    assertEquals(1, reviews.accessReviews.get());
  }

  @Test
  void clusterThatCannotBeAskedLetsNobodyIn() throws Exception {
    reviews.broken = true;
    assertEquals(401, get("", "viewer-token", "/metrics").statusCode());
    HttpResponse<String> response = get("apiserver", "", "/metrics");
    assertEquals(500, response.statusCode());
    assertEquals(
        "Authorization error (user=kube-apiserver, verb=get, resource=nodes, subresource=metrics)",
        response.body());
  }

  @ParameterizedTest
  @CsvSource({
    "/pods,pods proxy",
    "/runningpods/,pods proxy",
    "/healthz/ping,healthz proxy",
    "/configz,configz proxy",
    "/metrics/resource,metrics",
    "/stats/summary,stats",
    "/logs/x,log",
    "/exec/a/b/c,proxy",
    "/podsx,proxy"
  })
  void pathsMapToSubresourcesAsInTheKubelet(String path, String subresources) {
    assertEquals(subresources, String.join(" ", Gatekeeper.subresources(path)));
  }

  @Test
  void changedCertificateIsServedWithoutARestart() throws Exception {
    server.certificates.signed("server", "authority", "/CN=node-1-renewed");
    Files.setLastModifiedTime(
        directory.resolve("server.crt"), FileTime.from(Instant.now().plusSeconds(5)));
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> servedSubject().equals("CN=node-1-renewed"));
  }

  private String servedSubject() throws Exception {
    var response =
        TestServer.httpClient(TestServer.trust(directory.resolve("authority.crt")))
            .send(server.request("/healthz"), HttpResponse.BodyHandlers.ofString());
    var chain = response.sslSession().orElseThrow().getPeerCertificates();
    return ((X509Certificate) chain[0]).getSubjectX500Principal().getName();
  }

  @Test
  void olderFormsOfKeysAreRead() throws Exception {
    for (List<String> form :
        List.of(
            List.of("ec", "-in", "server.key", "-out", "old.key"),
            List.of("genrsa", "-traditional", "-out", "old.key", "2048"))) {
      server.certificates.openssl(form.toArray(String[]::new));
      String text = Files.readString(directory.resolve("old.key"));
      assertTrue(text.contains("EC PRIVATE KEY") || text.contains("RSA PRIVATE KEY"), text);
      var tls =
          new dev.berth.provider.api.auth.ServerTls(
              directory.resolve("server.crt"), directory.resolve("old.key"), Optional.empty());
      assertTrue(tls.context().isServer());
    }
  }

  @Test
  void unfitFilesAreNamed() {
    var refusal =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                new dev.berth.provider.api.auth.ServerTls(
                    directory.resolve("server.key"),
                    directory.resolve("server.key"),
                    Optional.empty()));
    assertTrue(String.valueOf(refusal.getMessage()).contains("server.key holds no CERTIFICATE"));
  }
}
