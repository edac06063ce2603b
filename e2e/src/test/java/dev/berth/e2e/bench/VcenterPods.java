package dev.berth.e2e.bench;

import dev.berth.portlayer.image.testing.TarBuilder;
import dev.berth.portlayer.image.testing.TestImage;
import dev.berth.portlayer.image.testing.TestRegistry;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.lab.TestLab;
import dev.berth.portlayer.vsphere.network.PortGroupNetwork;
import dev.berth.portlayer.vsphere.vch.BootstrapIso;
import dev.berth.portlayer.vsphere.vch.VchAdministration;
import dev.berth.portlayer.vsphere.vch.VchSpecification;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Pods on a vCenter lab that plays its VMs' guests: the control plane, the node, the lab and the
 * creator are four processes.
 */
final class VcenterPods implements AutoCloseable {
  private static final String VCH = "bench";

  private final TestLab lab = TestLab.played();
  private final TestRegistry registry = new TestRegistry();
  private final Throughput load;

  /**
   * How often each method of vCenter was called until something was done, and what the lab took for
   * it.
   *
   * @param lab seconds of the lab's processor time
   */
  record Done(Throughput.Used used, double lab, Map<String, Integer> calls) {}

  /**
   * One load. Memory is in MiB: heap in use after a collection, and what is resident.
   *
   * @param lab the lab's resident memory with all pods
   */
  record Round(
      Done running,
      Done gone,
      double heapBefore,
      double heap,
      double residentBefore,
      double resident,
      double lab,
      ApiRequests requests) {}

  /** Work on the load. */
  private interface Work<T> {
    T run() throws IOException, InterruptedException;
  }

  /**
   * @param directory removed first
   * @param options of the node's Java, the same as the berth command's
   */
  VcenterPods(Path root, Path directory, List<String> options) throws IOException {
    try {
      int control = freePort();
      try (VimClient client = VimClient.connect(lab.settings());
          VchAdministration vches = VchAdministration.open(client)) {
        vches.create(
            specification(control),
            BootstrapIso.open(root.resolve(".berth/boot")),
            (done, total) -> {});
      }
      TestImage image =
          new TestImage()
              .layer(new TarBuilder().file("a", "a").build(), TestImage.Compression.GZIP)
              .process("\"Cmd\": [\"server\"]");
      String reference = registry.push("bench", "1", image);
      load =
          new Throughput(
              root.resolve(".berth/bin"),
              directory,
              reference,
              (kubeconfig, node) ->
                  Throughput.java(
                      options,
                      VcenterNode.class,
                      new VcenterNode.Arguments(
                              kubeconfig,
                              node,
                              lab.url(),
                              lab.authority().file(),
                              lab.administrator(),
                              VCH,
                              Files.createDirectories(directory.resolve("vch")),
                              control,
                              registry.host())
                          .line()));
    } catch (IOException | RuntimeException failed) {
      registry.close();
      closeLab();
      throw failed;
    }
  }

  private void closeLab() {
    try {
      lab.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static VchSpecification specification(int control) {
    return new VchSpecification(
        VCH,
        "DC0",
        "DC0_C0",
        "",
        "LocalDS_0",
        List.of(
            new PortGroupNetwork(
                "pods",
                "DC0_DVPG0",
                "10.9.0.0/16",
                "10.9.0.1",
                "10.9.0.2",
                "10.9.255.254",
                List.of(),
                1500)),
        URI.create("tcp://127.0.0.1:" + control),
        "",
        VchSpecification.Limits.NONE);
  }

  Round measure(int pods) throws IOException, InterruptedException {
    double heapBefore = load.heap();
    double residentBefore = load.resident();
    ApiRequests earlier = load.requests();
    Done running = done(() -> load.create(pods));
    ApiRequests requests = load.requests().since(earlier);
    double resident = load.resident();
    double heap = load.heap();
    double lab = Machine.resident(this.lab.process().pid());
    Done gone = done(() -> load.delete(pods));
    return new Round(running, gone, heapBefore, heap, residentBefore, resident, lab, requests);
  }

  private Done done(Work<Throughput.Used> work) throws IOException, InterruptedException {
    Map<String, Integer> before = lab.calls();
    double processor = Machine.processor(lab.process());
    Throughput.Used used = work.run();
    processor = Machine.processor(lab.process()) - processor;
    Map<String, Integer> calls = lab.calls();
    calls.replaceAll((method, count) -> count - before.getOrDefault(method, 0));
    return new Done(used, processor, calls);
  }

  @Override
  public void close() {
    load.close();
    registry.close();
    closeLab();
  }
}
