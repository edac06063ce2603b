package dev.berth.portlayer.memory;

import dev.berth.portlayer.PortLayer;
import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.compute.Capacity;
import dev.berth.portlayer.compute.ComputeService;
import dev.berth.portlayer.events.EventLog;
import dev.berth.portlayer.events.EventService;
import dev.berth.portlayer.events.PortLayerEvent;
import dev.berth.portlayer.interaction.InteractionService;
import dev.berth.portlayer.interaction.LogLine;
import dev.berth.portlayer.network.NetworkService;
import dev.berth.portlayer.storage.ImageConfiguration;
import dev.berth.portlayer.storage.StorageService;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * A port layer wholly in memory, for tests and benchmarks of personalities. Its containerVMs are
 * records and its processes a small emulation of well-known programs ({@code echo}, {@code cat},
 * {@code sleep}, {@code env}, {@code sh -c} with simple scripts, …), none with a thread of its own.
 * A program that an image's configuration names and that is not one of these runs until it is
 * stopped; any other cannot be started.
 *
 * <p>Beyond the services it has what a test needs to bring about what happens to real VMs.
 */
public final class InMemoryPortLayer implements PortLayer {
  private static final int EVENTS_KEPT = 65_536;
  private static final long IMAGE_SIZE = 10 << 20;

  private final World world;
  private final EventLog events = new EventLog(EVENTS_KEPT);
  private final StorageService storage;
  private final NetworkService network;
  private final ComputeService compute;
  private final InteractionService interaction;

  /** An empty VCH with room for 100,000 containerVMs. */
  public InMemoryPortLayer() {
    this(new World());
  }

  private InMemoryPortLayer(World world) {
    this.world = world;
    this.storage = new MemoryStorage(world);
    this.network = new MemoryNetwork(world);
    this.compute = new MemoryCompute(world);
    this.interaction = new MemoryInteraction(world);
    world.listeners.add(events);
  }

  @Override
  public StorageService storage() {
    return storage;
  }

  @Override
  public NetworkService network() {
    return network;
  }

  @Override
  public ComputeService compute() {
    return compute;
  }

  @Override
  public EventService events() {
    return events;
  }

  @Override
  public InteractionService interaction() {
    return interaction;
  }

  @Override
  public void close() {
    world.listeners.remove(events);
  }

  /**
   * What a new control plane finds after this one crashed: the same VMs and records, but a new
   * event stream, and no session of the old one.
   */
  public InMemoryPortLayer restart() {
    close();
    world.vms.values().forEach(vm -> vm.breakSessions("the control plane ended"));
    return new InMemoryPortLayer(world);
  }

  /**
   * Puts an image into the registry, replacing what the reference named before.
   *
   * @return the image's id, as {@code pullImage} will give it
   */
  public String addImage(String reference, ImageConfiguration configuration) {
    return addImage(reference, configuration, IMAGE_SIZE);
  }

  /** As {@link #addImage(String, ImageConfiguration)} with a size of its disk in bytes. */
  public String addImage(String reference, ImageConfiguration configuration, long size) {
    Reference name = Reference.parse(reference);
    String id = digest(name.repository() + configuration);
    World.Offer offer = new World.Offer(id, digest("manifest of " + id), configuration, size);
    world.registry.put(name.toString(), offer);
    world.registry.put(name.repository() + "@" + offer.digest(), offer);
    return id;
  }

  private static String digest(String content) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(content.getBytes(StandardCharsets.UTF_8));
      return "sha256:" + HexFormat.of().formatHex(hash);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** The next such call fails with this code; more than one may be planned. */
  public void failNext(Operation operation, PortLayerException.Code code) {
    failNext(operation, code, "planned failure of " + operation);
  }

  /** As {@link #failNext(Operation, PortLayerException.Code)} with a message. */
  public void failNext(Operation operation, PortLayerException.Code code, String message) {
    world.faults.failNext(operation, new PortLayerException(code, message));
  }

  /** Calls of this kind wait, until they are released or interrupted. */
  public void hold(Operation operation) {
    world.faults.hold(operation);
  }

  /** Lets calls go on that were held. */
  public void release(Operation operation) {
    world.faults.release(operation);
  }

  /** How many calls of this kind began since the VCH was made. */
  public int calls(Operation operation) {
    return world.faults.calls(operation);
  }

  /** The VM dies, as when its hypervisor is killed. */
  public void loseVm(String containerVmId) {
    world.vm(containerVmId).cut();
  }

  /** The container's process ends by itself. */
  public void endProcess(String containerVmId, int exitCode) {
    world.vm(containerVmId).endProcess(exitCode);
  }

  /** The guest's kernel ends the container's process for want of memory. */
  public void markOutOfMemory(String containerVmId) {
    world.vm(containerVmId).outOfMemory();
  }

  /** The container's process writes. */
  public void print(String containerVmId, LogLine.Stream stream, String text) {
    world.vm(containerVmId).print(stream, text);
  }

  /** The container's process listens on a port, and sends back whatever it is sent. */
  public void echoOn(String containerVmId, int port) {
    world.vm(containerVmId).listen(port);
  }

  /** Changes the pool's limits, as an administrator does. */
  public void changeCapacity(Capacity capacity) {
    world.pool.changeCapacity(capacity);
    world.tell(PortLayerEvent.Type.CAPACITY_CHANGED, "pool", "", capacity.toString());
  }
}
