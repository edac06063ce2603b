package dev.berth.portlayer.tether;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.interaction.ExecSpec;
import dev.berth.portlayer.interaction.ProcessSession;
import dev.berth.tether.v1.Phase;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Guests that dial in as a hypervisor's network serial port does, and clients that call them. */
class SerialEndpointTest {
  private static final InetSocketAddress ANY =
      new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

  @TempDir Path directory;
  private final List<AutoCloseable> opened = new ArrayList<>();
  private final Map<String, String> fingerprints = new ConcurrentHashMap<>();
  private VchAuthority authority;

  /** Of the guests, which make their certificates themselves. */
  private VchAuthority own;

  private SerialEndpoint endpoint;
  private TetherClients clients;

  @BeforeEach
  void begin() throws IOException {
    authority = VchAuthority.open(directory);
    own = VchAuthority.open(Files.createDirectory(directory.resolve("own")));
    endpoint = new SerialEndpoint(ANY);
    clients = new TetherClients(authority);
  }

  @AfterEach
  void end() throws Exception {
    for (AutoCloseable each : opened.reversed()) {
      each.close();
    }
    clients.close();
    endpoint.close();
  }

  @Test
  void aCallReachesTheGuestThatItNames() throws IOException {
    List<String> ids = IntStream.range(0, 8).mapToObj("vm-%d"::formatted).toList();
    for (String id : ids) {
      guest(id).dial(endpoint.address());
    }
    for (String id : ids) {
      assertEquals(id, client(id).describe().getBootId());
    }
  }

  @Test
  void aCallWaitsForTheGuestToBeDialledIn() throws Exception {
    TetherClient client = client("vm-1");
    FakeGuest guest = guest("vm-1");
    try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
      var answer = executor.submit(client::describe);
      guest.dial(endpoint.address());
      assertEquals(Phase.RUNNING, answer.get().getPhase());
    }
  }

  @Test
  void theNewestConnectionCarriesTheSession() throws IOException {
    FakeGuest here = guest("vm-1");
    here.dial(endpoint.address());
    TetherClient client = client("vm-1");
    assertEquals(0, client.describe().getAttempt());

    FakeGuest there = guest("vm-1", 7);
    there.dial(endpoint.address());
    there.awaitAsked();
    awaitAttempt(client, 7);
  }

  @Test
  void aConnectionThatBrokeIsReplacedWhenItIsDialledAgain() throws IOException {
    FakeGuest guest = guest("vm-1");
    TetherClient client = client("vm-1");
    for (int i = 0; i < 5; i++) {
      guest.dial(endpoint.address());
      awaitAttempt(client, 0);
      guest.hangUp();
    }
  }

  @Test
  void aSessionGoesOnOverManyLostConnections() throws Exception {
    FakeGuest guest = guest("vm-1");
    guest.dial(endpoint.address());
    byte[] data = new byte[4 << 20];
    new Random(1).nextBytes(data);
    try (ProcessSession session =
            client("vm-1").exec(new ExecSpec(List.of("cat"), false, true, Optional.empty()));
        ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      var written =
          executor.submit(
              () -> {
                session.stdin().write(data);
                session.stdin().close();
                return true;
              });
      byte[] back = new byte[data.length];
      for (int i = 0; i < 16; i++) {
        int part = back.length / 16;
        assertEquals(part, session.stdout().readNBytes(back, i * part, part));
        guest.hangUp();
        guest.dial(endpoint.address());
      }
      assertTrue(written.get());
      assertArrayEquals(data, back);
      assertEquals(0, session.awaitExit(Duration.ofSeconds(30)).orElseThrow().code());
    }
  }

  @Test
  void aGuestThatStartedAgainEndsTheSession() throws Exception {
    FakeGuest before = guest("vm-1");
    before.dial(endpoint.address());
    TetherClient client = client("vm-1");
    awaitAttempt(client, 0);
    before.close();
    guest("vm-1", 3).dial(endpoint.address());
    awaitAttempt(client, 3);
  }

  @Test
  void aStrangerUnderTheSameNameIsNotBelievedAndTheGuestIsReached() throws IOException {
    FakeGuest guest = guest("vm-1");
    guest.dial(endpoint.address());
    FakeGuest stranger = opened(new FakeGuest(authority, own.issue("vm-1"), "vm-1", 666));
    stranger.dial(endpoint.address());
    stranger.awaitAsked();

    awaitAttempt(client("vm-1"), 0);
  }

  @Test
  void aGuestIsCalledOnceItHasToldOfItsCertificate() throws IOException {
    FakeGuest guest = guest("vm-1");
    guest.dial(endpoint.address());
    String told = told("vm-1");
    fingerprints.put("vm-1", "00".repeat(32));
    TetherClient client = client("vm-1");
    PortLayerException refused = assertThrows(PortLayerException.class, client::describe);
    assertEquals(Code.UNAVAILABLE, refused.code());

    fingerprints.put("vm-1", told);
    awaitAttempt(client, 0);
  }

  @Test
  void aGuestThatIsAtTheNetworkNeedsNoPort() throws Exception {
    FakeGuest guest = guest("vm-1");
    TetherClient client = client("vm-1", Optional.of(guest.address()));
    assertEquals("vm-1", client.describe().getBootId());
    byte[] data = new byte[1 << 20];
    new Random(1).nextBytes(data);
    try (ProcessSession session =
            client.exec(new ExecSpec(List.of("cat"), false, true, Optional.empty()));
        ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      var back = executor.submit(() -> session.stdout().readAllBytes());
      session.stdin().write(data);
      session.stdin().close();
      assertArrayEquals(data, back.get());
    }
  }

  @Test
  void aGuestThatIsNotAtTheNetworkIsReachedByItsPort() throws IOException {
    FakeGuest guest = guest("vm-1");
    guest.dial(endpoint.address());
    assertEquals("vm-1", client("vm-1", Optional.of(nobody())).describe().getBootId());
  }

  @Test
  void aStrangerAtTheNetworkIsNotBelievedAndTheGuestIsReached() throws IOException {
    FakeGuest guest = guest("vm-1");
    guest.dial(endpoint.address());
    FakeGuest stranger = opened(new FakeGuest(authority, own.issue("vm-1"), "vm-1", 666));
    assertEquals(0, client("vm-1", Optional.of(stranger.address())).describe().getAttempt());
  }

  /** An address at which nobody listens. */
  private static InetSocketAddress nobody() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return new InetSocketAddress(socket.getInetAddress(), socket.getLocalPort());
    }
  }

  @Test
  void anAddressInUseIsToldByName() {
    PortLayerException refused =
        assertThrows(PortLayerException.class, () -> new SerialEndpoint(endpoint.address()));
    assertEquals(Code.UNAVAILABLE, refused.code());
  }

  /**
   * Repeats a call that a change of connections breaks until the guest with the attempt answers.
   */
  private static void awaitAttempt(TetherClient client, int attempt) {
    await()
        .atMost(Duration.ofSeconds(30))
        .ignoreExceptionsMatching(
            e -> e instanceof PortLayerException failure && failure.code() == Code.UNAVAILABLE)
        .until(() -> client.describe().getAttempt() == attempt);
  }

  private TetherClient client(String id) {
    return client(id, Optional.empty());
  }

  private TetherClient client(String id, Optional<InetSocketAddress> network) {
    return opened(
        clients.client(
            id, endpoint, () -> Optional.ofNullable(fingerprints.get(id)), () -> network));
  }

  private FakeGuest guest(String id) throws IOException {
    return guest(id, 0);
  }

  /** A guest that has made its certificate, and told of it. */
  private FakeGuest guest(String id, int attempt) throws IOException {
    VchAuthority.Identity identity = own.issue(id);
    fingerprints.put(id, fingerprint(identity.certificate()));
    return opened(new FakeGuest(authority, identity, id, attempt));
  }

  private String told(String id) {
    return Objects.requireNonNull(fingerprints.get(id));
  }

  private <T extends AutoCloseable> T opened(T closeable) {
    opened.add(closeable);
    return closeable;
  }

  private static String fingerprint(String pem) {
    try {
      byte[] certificate =
          CertificateFactory.getInstance("X.509")
              .generateCertificate(
                  new ByteArrayInputStream(pem.getBytes(StandardCharsets.US_ASCII)))
              .getEncoded();
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(certificate));
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }
}
