package dev.berth.provider.kube;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.provider.api.Certificates;
import dev.berth.provider.api.auth.PemFiles;
import dev.berth.provider.kube.http.ScriptedServer;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("Requests of a node to the API server")
@Timeout(value = 1, unit = TimeUnit.MINUTES)
class RawApiTest {
  private static final String POD =
      "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"web\",\"resourceVersion\":\"17\"}}";

  @TempDir static Path directory;
  private final List<AutoCloseable> parts = new ArrayList<>();

  @BeforeAll
  static void makeCertificates() throws Exception {
    Certificates certificates = new Certificates(directory);
    certificates.authority("authority");
    certificates.authority("stranger");
    certificates.signed("server", "authority", "/CN=kubernetes");
    certificates.signed("node", "authority", "/O=system:nodes/CN=system:node:one");
    certificates.signed("renewed", "authority", "/O=system:nodes/CN=system:node:two");
  }

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable part : parts.reversed()) {
      part.close();
    }
  }

  private ScriptedServer server(ScriptedServer.Script script) throws Exception {
    SSLServerSocket listener =
        (SSLServerSocket)
            serverContext()
                .getServerSocketFactory()
                .createServerSocket(0, 50, InetAddress.getLoopbackAddress());
    listener.setWantClientAuth(true);
    ScriptedServer server = new ScriptedServer(listener, script);
    parts.add(server);
    return server;
  }

  private static SSLContext serverContext() throws Exception {
    KeyStore keys = KeyStore.getInstance("PKCS12");
    keys.load(null, null);
    keys.setKeyEntry(
        "server",
        PemFiles.privateKey(directory.resolve("server.key")),
        new char[0],
        PemFiles.certificates(directory.resolve("server.crt")).toArray(X509Certificate[]::new));
    KeyManagerFactory own = KeyManagerFactory.getInstance("PKIX");
    own.init(keys, new char[0]);
    KeyStore authorities = KeyStore.getInstance("PKCS12");
    authorities.load(null, null);
    authorities.setCertificateEntry(
        "authority", PemFiles.certificates(directory.resolve("authority.crt")).getFirst());
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
    trust.init(authorities);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(own.getKeyManagers(), trust.getTrustManagers(), null);
    return context;
  }

  private ConfigBuilder config(ScriptedServer server) {
    return new ConfigBuilder(Config.empty())
        .withMasterUrl("https://127.0.0.1:%d/prefix".formatted(server.port()))
        .withCaCertFile(directory.resolve("authority.crt").toString());
  }

  private RawApi api(ConfigBuilder config) {
    KubernetesClient client = NodeClients.of(config.build());
    parts.add(client);
    RawApi api = new RawApi(client);
    parts.add(api);
    return api;
  }

  private static Metadata patch(RawApi api) {
    return api.send("PATCH", "/api/v1/x", RawApi.STRATEGIC_MERGE, Map.of("a", 1));
  }

  private static ScriptedServer.Script answering(String body) {
    return peer -> {
      while (true) {
        peer.request();
        peer.answer(200, body);
      }
    };
  }

  /** Answers with a pod whose name is the subject of the client's certificate. */
  private static ScriptedServer.Script greeting() {
    return peer -> {
      while (true) {
        peer.request();
        peer.answer(
            500,
            "{\"message\":\"%s\"}"
                .formatted(((SSLSocket) peer.socket()).getSession().getPeerPrincipal().getName()));
      }
    };
  }

  @Test
  @DisplayName("go to the server's path, say what they hold, and tell the resource version")
  void sends() throws Exception {
    ScriptedServer server = server(answering(POD));
    RawApi api = api(config(server).withUserAgent("tester/1"));
    assertEquals(17, patch(api).resourceVersion());
    String request = server.requests().getFirst();
    assertTrue(request.startsWith("PATCH /prefix/api/v1/x HTTP/1.1\r\n"), request);
    assertTrue(request.contains("\r\nUser-Agent: tester/1\r\n"), request);
    assertTrue(request.contains("\r\nContent-Type: " + RawApi.STRATEGIC_MERGE + "\r\n"), request);
    assertTrue(request.contains("as=PartialObjectMetadata"), request);
    assertTrue(request.endsWith("\r\n\r\n{\"a\":1}"), request);
    assertFalse(request.contains("Authorization"), request);
  }

  @Test
  @DisplayName("fail with the server's status and message")
  void fails() throws Exception {
    ScriptedServer server =
        server(
            peer -> {
              peer.request();
              peer.answer(409, "{\"kind\":\"Status\",\"message\":\"it is another\"}");
              peer.request();
              peer.answer(503, "<html>");
            });
    RawApi api = api(config(server));
    ApiException conflict = assertThrows(ApiException.class, () -> patch(api));
    assertEquals("PATCH /api/v1/x: 409 it is another", conflict.getMessage());
    assertTrue(conflict.absent());
    assertEquals(503, assertThrows(ApiException.class, () -> patch(api)).status());
  }

  @Test
  @DisplayName("fail with status 0 when nobody listens")
  void nobody() throws Exception {
    ScriptedServer server = server(answering(POD));
    server.close();
    assertEquals(0, assertThrows(ApiException.class, () -> patch(api(config(server)))).status());
  }

  @Test
  @DisplayName("are sent again when the server is too busy and says for how long")
  void busy() throws Exception {
    ScriptedServer server =
        server(
            peer -> {
              peer.request();
              peer.say("HTTP/1.1 429 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n");
              peer.request();
              peer.answer(200, POD);
              peer.request();
              peer.answer(429, "");
            });
    RawApi api = api(config(server));
    assertEquals(17, patch(api).resourceVersion());
    assertEquals(429, assertThrows(ApiException.class, () -> patch(api)).status());
    assertEquals(3, server.requests().size());
  }

  @Test
  @DisplayName("are refused to a server whose certificate is for another")
  void otherName() throws Exception {
    ScriptedServer server = server(answering(POD));
    RawApi api = api(config(server).withTlsServerName("other.example"));
    assertEquals(0, assertThrows(ApiException.class, () -> patch(api)).status());
    assertEquals(List.of(), server.requests());
    assertEquals(
        17,
        patch(api(config(server).withTlsServerName("other.example").withTrustCerts(true)))
            .resourceVersion());
  }

  @Test
  @DisplayName("are refused to a server of an unknown authority")
  void otherAuthority() throws Exception {
    ScriptedServer server = server(answering(POD));
    RawApi api = api(config(server).withCaCertFile(directory.resolve("stranger.crt").toString()));
    assertEquals(0, assertThrows(ApiException.class, () -> patch(api)).status());
    assertEquals(List.of(), server.requests());
  }

  @Test
  @DisplayName("come with the client's certificate, and with the new one when its files change")
  void certificates() throws Exception {
    Path certificate = directory.resolve("client.crt");
    Path key = directory.resolve("client.key");
    replace("node", certificate, key);
    ScriptedServer server = server(greeting());
    RawApi api =
        api(
            config(server)
                .withClientCertFile(certificate.toString())
                .withClientKeyFile(key.toString())
                .withClientKeyAlgo("EC"));
    assertTrue(said(api).contains("system:node:one"));
    replace("renewed", certificate, key);
    await().until(() -> said(api).contains("system:node:two"));
    assertEquals(2, server.connections());
  }

  private static String said(RawApi api) {
    return String.valueOf(assertThrows(ApiException.class, () -> patch(api)).getMessage());
  }

  private static void replace(String name, Path certificate, Path key) throws IOException {
    for (Path file : List.of(certificate, key)) {
      String source = file.getFileName().toString().replace("client", name);
      Path next = Files.copy(directory.resolve(source), directory.resolve("next." + source));
      Files.move(next, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }
  }

  @Test
  @DisplayName("come with the present token, and are sent again when it was replaced meanwhile")
  void tokens() throws Exception {
    ScriptedServer server =
        server(
            peer -> {
              while (true) {
                peer.answer(peer.request().contains("Bearer two") ? 200 : 401, POD);
              }
            });
    AtomicInteger asked = new AtomicInteger();
    RawApi api =
        api(
            config(server)
                .withOauthTokenProvider(() -> asked.getAndIncrement() == 0 ? "one" : "two\n"));
    assertEquals(17, patch(api).resourceVersion());
    assertEquals(2, server.requests().size());
    assertEquals(17, patch(api).resourceVersion());
    assertEquals(3, server.requests().size());
  }

  @Test
  @DisplayName("fail when the only token is refused")
  void refusedToken() throws Exception {
    ScriptedServer server =
        server(
            peer -> {
              while (true) {
                peer.request();
                peer.answer(401, "{\"message\":\"Unauthorized\"}");
              }
            });
    RawApi api = api(config(server).withOauthToken("secret"));
    ApiException refused = assertThrows(ApiException.class, () -> patch(api));
    assertEquals(401, refused.status());
    assertFalse(String.valueOf(refused.getMessage()).contains("secret"));
    assertEquals(1, server.requests().size());
  }

  @Test
  @DisplayName("are not sent past a proxy, which is told at the start")
  void proxy() throws Exception {
    ScriptedServer server = server(answering(POD));
    ConfigBuilder proxied = config(server).withHttpsProxy("http://127.0.0.1:1");
    assertTrue(
        String.valueOf(assertThrows(IllegalStateException.class, () -> api(proxied)).getMessage())
            .contains("NO_PROXY"));
    assertEquals(17, patch(api(proxied.withNoProxy("127.0.0.1"))).resourceVersion());
  }
}
