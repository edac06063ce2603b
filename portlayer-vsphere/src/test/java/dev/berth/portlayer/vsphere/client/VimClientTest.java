package dev.berth.portlayer.vsphere.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.vsphere.lab.LabFolder;
import dev.berth.portlayer.vsphere.lab.TestLab;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Methods;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The client against the vCenter lab, which fails in all ways that a vCenter and a network do. */
@ExtendWith(TestLab.Resolver.class)
@Timeout(120)
class VimClientTest {
  private final TestLab lab;
  private VimClient client;

  VimClientTest(TestLab lab) {
    this.lab = lab;
    client = VimClient.connect(lab.settings());
  }

  @BeforeEach
  void counts() {
    lab.reset();
  }

  @AfterEach
  void close() {
    lab.reset();
    client.close();
  }

  private VimClient connect(Trust trust, Credentials credentials) {
    return VimClient.connect(new VimSettings(lab.url(), trust, credentials));
  }

  private static String assertFails(Code code, Runnable work) {
    PortLayerException e = assertThrows(PortLayerException.class, work::run);
    assertEquals(code, e.code(), e::toString);
    return e.toString();
  }

  private Optional<ManagedObjectReference> find(String path) {
    return client.find(client.content().searchIndex(), new Methods.FindByInventoryPath(path));
  }

  private ManagedObjectReference vmFolder() {
    return LabFolder.find(client, "DC0/vm");
  }

  @Test
  void theNewestCommonReleaseIsSpoken() {
    assertEquals("8.0.3.0", client.release());
    assertEquals("DC0", client.property(find("DC0").orElseThrow(), "name", String.class).get());
  }

  @Test
  void aPinnedCertificateIsTrustedAndNoOther() {
    try (VimClient pinned = connect(lab.thumbprint(), lab.administrator())) {
      assertEquals(client.content(), pinned.content());
    }

    String message =
        assertFails(
            Code.UNAUTHENTICATED,
            () -> connect(new Trust.Thumbprint("ab".repeat(32)), lab.administrator()));
    assertTrue(message.contains(lab.thumbprint().sha256()), message);
  }

  @Test
  void anUnknownAuthorityIsNotTrusted() {
    assertFails(Code.UNAUTHENTICATED, () -> connect(new Trust.Machine(), lab.administrator()));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"http://vcenter", "https://vcenter/sdk", "https://me:pw@vcenter", "vcenter"})
  void aUrlIsHttpsAndAHost(String url) {
    assertThrows(
        IllegalArgumentException.class,
        () -> new VimSettings(URI.create(url), new Trust.Machine(), lab.administrator()));
  }

  @Test
  void aWrongPasswordIsRefusedAndNotRepeated(@TempDir Path directory) throws IOException {
    Path file = Files.writeString(directory.resolve("password"), "s3cret\n");

    String message =
        assertFails(
            Code.UNAUTHENTICATED,
            () -> connect(lab.authority(), new Credentials.Password("ops@vsphere.local", file)));

    assertTrue(message.contains("ops@vsphere.local"), message);
    assertFalse(message.contains("s3cret"), message);
    assertEquals(1, lab.calls("Login"));
  }

  @Test
  void aTokenLogsIn(@TempDir Path directory) throws IOException {
    Credentials.Password administrator = lab.administrator();
    String pair = administrator.user() + ":" + new String(administrator.secret());
    Path file = directory.resolve("token");
    Files.writeString(
        file, Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8)) + "\n");

    try (VimClient other = connect(lab.authority(), new Credentials.Token(file))) {
      assertTrue(
          other
              .find(other.content().searchIndex(), new Methods.FindByInventoryPath("DC0"))
              .isPresent());
    }
    Files.writeString(file, "expired");
    assertFails(Code.UNAUTHENTICATED, () -> connect(lab.authority(), new Credentials.Token(file)));
  }

  @Test
  void nothingIsNothing() {
    assertEquals(Optional.empty(), find("DC0/vm/nobody"));
  }

  @Test
  void aFaultTellsItsTypeAndReason() {
    var vm = new ManagedObjectReference("VirtualMachine", "vm-[0]/%41 ?#");

    VimFault fault = assertThrows(VimFault.class, () -> client.call(vm, new Methods.PowerOffVm()));

    assertEquals("ManagedObjectNotFound", fault.typeName());
    assertTrue(fault.reason().contains(vm.value()), fault.reason());
    assertTrue(fault.toString().contains("PowerOffVM_Task"), fault::toString);
    assertEquals(Code.NOT_FOUND, fault.toPortLayer().code());
  }

  @Test
  void anEndedSessionIsRenewedOnceForAll() throws Exception {
    lab.expireSessions();
    lab.latency("json", 20);

    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Optional<ManagedObjectReference>>> answers = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        answers.add(threads.submit(() -> find("DC0")));
      }
      for (var answer : answers) {
        assertTrue(answer.get(30, TimeUnit.SECONDS).isPresent());
      }
    }
    assertEquals(1, lab.calls("Login"));
  }

  @Test
  void aMethodThatIsNotRepeatableGoesOnInANewSession() {
    ManagedObjectReference parent = vmFolder();
    lab.expireSessions();

    ManagedObjectReference made = client.call(parent, new Methods.CreateFolder("renewed"));

    assertEquals(Optional.of(made), find("DC0/vm/renewed"));
  }

  @Test
  void aServerThatSaysWhenIsAskedThenAndNotBefore() {
    ManagedObjectReference parent = vmFolder();
    lab.fault(Map.of("method", "CreateFolder", "way", "status", "status", 503, "retryAfter", 1));
    long began = System.nanoTime();

    client.call(parent, new Methods.CreateFolder("later"));

    assertTrue(Duration.ofNanos(System.nanoTime() - began).toMillis() >= 1000);
    assertEquals(2, lab.calls("CreateFolder"));
  }

  @Test
  void tooManyRequestsAreRepeatedWithPauses() {
    lab.fault(Map.of("method", "FindByInventoryPath", "way", "status", "status", 429, "count", 3));

    assertTrue(find("DC0").isPresent());
    assertEquals(4, lab.calls("FindByInventoryPath"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"lost", "broken", "status"})
  void whatMayBeRepeatedIs(String way) {
    lab.fault(Map.of("method", "FindByInventoryPath", "way", way, "count", 2));

    assertTrue(find("DC0").isPresent());
    assertEquals(3, lab.calls("FindByInventoryPath"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"lost", "broken", "status"})
  void whatMayHaveBeenDoneIsNotRepeated(String way) {
    ManagedObjectReference parent = vmFolder();
    lab.fault(Map.of("method", "CreateFolder", "way", way));

    assertFails(
        Code.UNAVAILABLE, () -> client.call(parent, new Methods.CreateFolder("once " + way)));

    assertEquals(1, lab.calls("CreateFolder"));
    assertEquals(way.equals("lost"), find("DC0/vm/once " + way).isPresent());
  }

  @Test
  void callsWaitForAVcenterThatRefusesConnections() {
    ManagedObjectReference parent = vmFolder();
    lab.outage("refuse", 1.5);

    // A request may go over a kept connection while that ends, and then may have been done; this
    // one is answered by the end of it at once, and what comes after finds none to go over.
    for (int i = 0; i < 2; i++) {
      try {
        client.call(parent, new Methods.CreateFolder("after the outage"));
        break;
      } catch (PortLayerException e) {
        assertEquals(0, i, e::toString);
        assertEquals(Code.UNAVAILABLE, e.code(), e::toString);
      }
    }

    assertTrue(find("DC0/vm/after the outage").isPresent());
  }

  @Test
  void aVcenterThatHangsIsUnavailableWithinTheTimeOuts() {
    VimSettings quick =
        new VimSettings(
            lab.url(),
            lab.authority(),
            lab.administrator(),
            Duration.ofSeconds(1),
            Duration.ofMillis(500),
            Duration.ofSeconds(1),
            Duration.ofSeconds(1));
    try (VimClient impatient = VimClient.connect(quick)) {
      lab.outage("hang", 3);

      assertFails(
          Code.UNAVAILABLE,
          () -> impatient.property(client.content().rootFolder(), "name", String.class));
    }
    assertTrue(find("DC0").isPresent(), "the patient one gets its answer");
  }

  @Test
  void aClosedClientFailsAtOnceThoughItsCallsMayBeRepeated() {
    client.close();
    assertTimeout(
        lab.settings().patience().dividedBy(4),
        () ->
            assertFails(
                Code.UNAVAILABLE,
                () -> client.property(client.content().rootFolder(), "name", String.class)));
  }

  @Test
  void interruptionEndsACall() throws Exception {
    lab.latency("json", 5000);
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var started = new java.util.concurrent.CountDownLatch(1);
      Future<?> call =
          threads.submit(
              () -> {
                started.countDown();
                try {
                  find("DC0");
                } catch (PortLayerException e) {
                  assertEquals(Code.INTERRUPTED, e.code());
                  assertTrue(Thread.interrupted());
                  throw e;
                }
              });
      started.await();
      long began = System.nanoTime();
      threads.shutdownNow();

      ExecutionException e =
          assertThrows(ExecutionException.class, () -> call.get(10, TimeUnit.SECONDS));
      assertTrue(e.getCause() instanceof PortLayerException, e::toString);
      assertTrue(Duration.ofNanos(System.nanoTime() - began).toMillis() < 4000);
    }
  }

  @Test
  void identifiersAreEncoded() {
    assertEquals(
        "/sdk/vim25/8.0.3.0/PropertyCollector/session%5B52%5D%2Fa%20b/CreateFilter",
        VimClient.path(
            "8.0.3.0",
            new ManagedObjectReference("PropertyCollector", "session[52]/a b"),
            "CreateFilter"));
  }
}
