package dev.berth.e2e.bench;

import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.GroupSpec;
import dev.berth.portlayer.compute.Placement;
import dev.berth.portlayer.compute.Resources;
import dev.berth.portlayer.image.testing.TarBuilder;
import dev.berth.portlayer.image.testing.TestImage;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageRequest;
import dev.berth.portlayer.vsphere.lab.LabVch;
import dev.berth.portlayer.vsphere.lab.TestLab;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * The port layer on a vCenter lab whose VMs do not boot: a group of one containerVM each, with a
 * scratch disk and an endpoint, and the same ones again after a restart of the control plane.
 */
final class VcenterLoad implements AutoCloseable {
  private static final long MEBIBYTE = 1L << 20;

  private final TestLab lab = TestLab.large();
  private final LabVch vch = new LabVch(lab);
  private final ProcessHandle process = lab.process();
  private final Image image;
  private final int atOnce;

  /**
   * How long something took, and how often each method of vCenter was called meanwhile.
   *
   * @param own processor time of this process, seconds
   * @param lab the lab's
   */
  record Step(double seconds, double own, double lab, Map<String, Integer> calls) {}

  /**
   * One load.
   *
   * @param heapBefore used by this process after a collection, the port layer's with no VM, MiB
   * @param heap the same with all VMs
   * @param lab resident memory of the lab with all VMs, MiB
   */
  record Round(
      Step created,
      Step poweredOn,
      Step listed,
      Step restarted,
      Step destroyed,
      double heapBefore,
      double heap,
      double lab) {}

  /** Work on vCenter. */
  private interface Work {
    void run() throws InterruptedException;
  }

  /**
   * @param atOnce how many groups are worked on at the same time
   */
  VcenterLoad(int atOnce) throws IOException {
    this.atOnce = atOnce;
    TestImage content =
        new TestImage().layer(new TarBuilder().file("a", "a").build(), TestImage.Compression.GZIP);
    image =
        vch.services()
            .storage()
            .pullImage(
                new ImageRequest(
                    vch.registry().push("bench", "1", content), List.of(), Duration.ofMinutes(1)));
  }

  Round measure(int groups) throws InterruptedException {
    List<String> names = IntStream.range(0, groups).mapToObj(i -> "bench-" + i).toList();
    double before = Machine.heap();
    Step created = timed(() -> each(names, this::create));
    Step poweredOn = timed(() -> each(names, name -> vch.services().groups().powerOn(name)));
    double heap = Machine.heap();
    Step listed = timed(() -> expect(groups));
    Step restarted =
        timed(
            () -> {
              vch.restart();
              expect(groups);
            });
    double resident = Machine.resident(process.pid());
    Step destroyed = timed(() -> each(names, this::destroy));
    expect(0);
    return new Round(created, poweredOn, listed, restarted, destroyed, before, heap, resident);
  }

  private Step timed(Work work) throws InterruptedException {
    Map<String, Integer> before = lab.calls();
    double own = Machine.processor(ProcessHandle.current());
    double others = Machine.processor(process);
    long begun = System.nanoTime();
    work.run();
    double seconds = (System.nanoTime() - begun) / 1e9;
    own = Machine.processor(ProcessHandle.current()) - own;
    others = Machine.processor(process) - others;
    Map<String, Integer> calls = lab.calls();
    calls.replaceAll((method, count) -> count - before.getOrDefault(method, 0));
    return new Step(seconds, own, others, calls);
  }

  /** Not too many at once: a node has its limit as well. */
  private void each(List<String> names, Consumer<String> work) throws InterruptedException {
    List<Future<?>> all = new ArrayList<>();
    try (ExecutorService threads =
        Executors.newFixedThreadPool(atOnce, Thread.ofVirtual().factory())) {
      names.forEach(name -> all.add(threads.submit(() -> work.accept(name))));
      for (Future<?> one : all) {
        one.get();
      }
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    }
  }

  private void create(String name) {
    LabVch.Services services = vch.services();
    var scratch =
        services.storage().createDisk(scratch(name), DiskAttachment.Role.SCRATCH, 16 * MEBIBYTE);
    var nic = services.network().createEndpoint(endpoint(name), "pods");
    ContainerVmSpec vm =
        new ContainerVmSpec(
            name + ".main",
            "main",
            new Resources(1, 500, 100, 64 * MEBIBYTE, 32 * MEBIBYTE),
            image.id(),
            List.of(image.disk(), scratch),
            List.of(nic),
            Map.of());
    var _ =
        services
            .groups()
            .create(
                new GroupSpec(
                    name, "default/" + name, Placement.anywhereTogether(), List.of(vm), Map.of()));
  }

  private void destroy(String name) {
    LabVch.Services services = vch.services();
    services.groups().destroy(name);
    services.network().deleteEndpoint(endpoint(name));
    services.storage().deleteDisk(scratch(name));
  }

  private static String scratch(String name) {
    return name + ".scratch";
  }

  private static String endpoint(String name) {
    return name + ".eth0";
  }

  private void expect(int groups) {
    int found = vch.services().groups().list().size();
    if (found != groups) {
      throw new IllegalStateException("%d groups are there, not %d".formatted(found, groups));
    }
  }

  @Override
  public void close() throws InterruptedException {
    vch.close();
    lab.close();
  }
}
