package dev.berth.portlayer.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.berth.portlayer.PortLayer;
import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.compute.ComputeService;
import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.GroupSpec;
import dev.berth.portlayer.compute.Placement;
import dev.berth.portlayer.compute.Resources;
import dev.berth.portlayer.events.EventService;
import dev.berth.portlayer.interaction.InteractionService;
import dev.berth.portlayer.network.NetworkService;
import dev.berth.portlayer.network.NicAttachment;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageRequest;
import dev.berth.portlayer.storage.StorageService;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.function.Executable;

/** The environment with what the suites have in common. */
final class Fixture {
  static final long MEBIBYTE = 1 << 20;

  /** Longer than any test waits. */
  static final Duration LONG = Duration.ofMinutes(5);

  private static final long MEMORY = 64 * MEBIBYTE;

  private final ContractEnvironment environment;
  private final AtomicInteger names = new AtomicInteger();
  private @Nullable Guest shared;

  Fixture(ContractEnvironment environment) {
    this.environment = environment;
  }

  void close() {
    environment.close();
  }

  PortLayer portLayer() {
    return environment.portLayer();
  }

  StorageService storage() {
    return portLayer().storage();
  }

  NetworkService network() {
    return portLayer().network();
  }

  ComputeService compute() {
    return portLayer().compute();
  }

  EventService events() {
    return portLayer().events();
  }

  InteractionService interaction() {
    return portLayer().interaction();
  }

  ContractEnvironment environment() {
    return environment;
  }

  void restart() {
    environment.restart();
  }

  boolean supports(Feature feature) {
    return !environment.unsupported().contains(feature);
  }

  Duration patience() {
    return environment.patience();
  }

  ConditionFactory await() {
    return Awaitility.await().atMost(patience()).pollInterval(Duration.ofMillis(20));
  }

  /** An identity that no other test has. */
  String name(String kind) {
    return kind + "-" + names.incrementAndGet();
  }

  Image image() {
    return storage().pullImage(request(environment.image()));
  }

  ImageRequest request(String reference) {
    return new ImageRequest(reference, List.of(), patience());
  }

  NicAttachment endpoint() {
    return network().createEndpoint(name("nic"), network().networks().getFirst().name());
  }

  /** A containerVM's specification with disks and an endpoint that exist. */
  ContainerVmSpec vmSpec() {
    Image image = image();
    DiskAttachment scratch =
        storage().createDisk(name("scratch"), DiskAttachment.Role.SCRATCH, 64 * MEBIBYTE);
    return vmSpec(name("vm"), MEMORY, image, List.of(image.disk(), scratch), List.of(endpoint()));
  }

  ContainerVmSpec vmSpec(
      String id, long memory, Image image, List<DiskAttachment> disks, List<NicAttachment> nics) {
    return new ContainerVmSpec(
        id,
        "guest",
        new Resources(1, 0, 0, memory, 0),
        image.id(),
        disks,
        nics,
        Map.of("berth.dev/test", "vm"));
  }

  GroupSpec groupSpec(ContainerVmSpec... members) {
    return new GroupSpec(
        name("group"),
        "contract",
        Placement.anywhereTogether(),
        List.of(members),
        Map.of("berth.dev/test", "group"));
  }

  /** The containerVM that tests share, powered on and without a running process. */
  synchronized Guest guest() {
    Guest guest = shared;
    if (guest == null || compute().find(guest.groupId()).isEmpty()) {
      guest = newGuest();
      shared = guest;
    }
    guest.makeReady();
    return guest;
  }

  /** A containerVM of a test's own; it is powered off until it is made ready. */
  Guest newGuest() {
    GroupSpec spec = groupSpec(vmSpec());
    compute().create(spec);
    return new Guest(this, spec);
  }

  /** Asserts that a call is refused with a code and says something. */
  static PortLayerException assertRefused(PortLayerException.Code code, Executable call) {
    PortLayerException refusal = assertThrows(PortLayerException.class, call);
    assertEquals(code, refusal.code(), () -> "with the message: " + refusal.getMessage());
    assertEquals(
        false, String.valueOf(refusal.getMessage()).isBlank(), "a refusal says what was refused");
    return refusal;
  }
}
