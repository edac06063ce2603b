package dev.berth.provider.pod;

import dev.berth.portlayer.PortLayer;
import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.Group;
import dev.berth.portlayer.compute.ProcessState;
import dev.berth.portlayer.events.EventBatch;
import dev.berth.portlayer.events.PortLayerEvent;
import dev.berth.provider.ProviderConfiguration;
import dev.berth.provider.events.EventRecorder;
import dev.berth.provider.kube.ObjectReader;
import dev.berth.provider.kube.PodWatch;
import dev.berth.provider.kube.PodWriter;
import dev.berth.provider.kube.RawApi;
import dev.berth.provider.lifecycle.Names;
import dev.berth.provider.lifecycle.PodEvent;
import dev.berth.provider.translate.SupportedFields;
import dev.berth.provider.translate.Translator;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The node's pods: one worker for each, woken by both sides. */
public final class PodController implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PodController.class);
  private static final Duration READ = Duration.ofSeconds(10);
  private static final Duration RETRY = Duration.ofSeconds(1);

  /** Longer than any round of a loop takes, a request that fails by its deadline included. */
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final PortLayer portLayer;
  private final Map<String, PodWorker> workers = new ConcurrentHashMap<>();
  private final PodContext context;
  private final Runnable capacityChanged;
  private final PodWatch watch;
  private final Pulse reading = new Pulse();

  /** What happened before is told to pods that have their workers. */
  private final CountDownLatch watching = new CountDownLatch(1);

  private volatile @Nullable Thread listener;
  private volatile boolean closing;

  /**
   * @param allocatable the node's resources as they are now
   * @param capacityChanged is run when the pool's limits changed
   */
  public PodController(
      KubernetesClient client,
      PortLayer portLayer,
      ProviderConfiguration configuration,
      EventRecorder events,
      ObjectReader objects,
      RawApi api,
      MeterRegistry registry,
      Supplier<Map<String, Quantity>> allocatable,
      Runnable capacityChanged) {
    this.portLayer = portLayer;
    this.capacityChanged = capacityChanged;
    Translator translator = new Translator(configuration);
    PodWriter writer = new PodWriter(api);
    PodMetrics metrics = new PodMetrics(registry);
    ActionExecutor executor =
        new ActionExecutor(
            portLayer,
            objects,
            writer,
            translator,
            new ImagePuller(portLayer.storage(), configuration.containers().imagePullDeadline()),
            new ProcessStarter(portLayer, translator, configuration, allocatable));
    this.context =
        new PodContext(
            portLayer,
            configuration,
            events,
            writer,
            objects,
            executor,
            new Admission(new SupportedFields(client.getKubernetesSerialization()), allocatable),
            metrics,
            this::ended);
    this.watch = new PodWatch(api, configuration.node().name(), new Handler());
    metrics.running(workers::size, this::runningContainers);
  }

  /** Returns when every pod of the node has its worker. */
  public void start() {
    String cursor = portLayer.events().now();
    listener = Thread.ofVirtual().name("port-layer-events").start(() -> listen(cursor));
    watch.start();
    watching.countDown();
  }

  /** Whether a pod of that UID is known here, be it only to be cleaned up after. */
  boolean knows(String podUid) {
    return workers.containsKey(podUid);
  }

  /** The worker of the pod of that name that is at the API server now. */
  Optional<PodWorker> find(String namespace, String name) {
    return workers.values().stream()
        .filter(worker -> !worker.gone())
        .filter(worker -> worker.pod().getMetadata().getName().equals(name))
        .filter(worker -> worker.pod().getMetadata().getNamespace().equals(namespace))
        .findFirst();
  }

  /** Every pod with its present status. */
  List<Pod> pods() {
    return workers.values().stream()
        .filter(worker -> !worker.gone())
        .map(PodWorker::present)
        .toList();
  }

  /**
   * Why pods are not looked after as they should be; empty when they are. An API server that cannot
   * be reached is no trouble of this kind: the watch comes back to it by itself.
   */
  Optional<String> trouble() {
    Thread listening = listener;
    if (!watch.running()) {
      return Optional.of("the pods of the API server are not watched");
    }
    if (listening == null || !listening.isAlive()) {
      return Optional.of("the events of the port layer are not read");
    }
    return reading
        .stuck(PATIENCE)
        .map(time -> "the port layer has told no event for %d s".formatted(time.toSeconds()))
        .or(
            () ->
                workers.values().stream()
                    .flatMap(worker -> worker.trouble(PATIENCE).stream())
                    .findFirst());
  }

  private final class Handler implements PodWatch.Listener {
    @Override
    public void added(Pod pod) {
      if (!closing) {
        PodWorker worker = new PodWorker(context, pod);
        workers.put(pod.getMetadata().getUid(), worker);
        worker.start();
      }
    }

    @Override
    public void changed(Pod before, Pod after) {
      PodWorker known = workers.get(after.getMetadata().getUid());
      if (known == null) {
        added(after);
      } else {
        known.update(after);
      }
    }

    @Override
    public void removed(Pod last) {
      PodWorker worker = workers.get(last.getMetadata().getUid());
      if (worker != null) {
        worker.removed(last);
      }
    }
  }

  private void ended(PodWorker worker) {
    workers.remove(worker.pod().getMetadata().getUid(), worker);
  }

  private int runningContainers() {
    try {
      return (int)
          portLayer.compute().list().stream()
              .map(Group::members)
              .flatMap(List::stream)
              .map(ContainerVm::process)
              .filter(ProcessState.Running.class::isInstance)
              .count();
    } catch (PortLayerException unreachable) {
      return 0;
    }
  }

  private void listen(String from) {
    String cursor = from;
    try {
      watching.await();
    } catch (InterruptedException closed) {
      Thread.currentThread().interrupt();
      return;
    }
    while (!closing) {
      try {
        reading.begin();
        EventBatch batch = portLayer.events().read(cursor, READ);
        cursor = batch.cursor();
        if (batch.lost()) {
          workers.values().forEach(PodWorker::wake);
        }
        batch.events().forEach(this::heard);
      } catch (PortLayerException failure) {
        if (failure.code() == PortLayerException.Code.INTERRUPTED || !pause()) {
          return;
        }
        LOG.warn("Events of the port layer: {}", failure.getMessage());
      }
    }
  }

  private static boolean pause() {
    try {
      Thread.sleep(RETRY);
      return true;
    } catch (InterruptedException closing) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private void heard(PortLayerEvent event) {
    if (event.type() == PortLayerEvent.Type.CAPACITY_CHANGED) {
      capacityChanged.run();
      return;
    }
    Optional<PodEvent> told = HypervisorNews.of(event);
    if (event.groupId().isEmpty()) {
      told.ifPresent(context.events()::tellNode);
      return;
    }
    Names.podUid(event.groupId())
        .map(workers::get)
        .ifPresent(
            worker -> {
              told.ifPresent(news -> context.events().tell(worker.pod(), news));
              worker.wake();
            });
  }

  /** Ends the workers; pods go on running. Idempotent. */
  @Override
  public void close() {
    closing = true;
    watch.close();
    Thread listening = listener;
    if (listening != null) {
      listening.interrupt();
    }
    workers.values().forEach(PodWorker::stop);
    try {
      for (PodWorker worker : workers.values()) {
        worker.join(Duration.ofSeconds(5));
      }
    } catch (InterruptedException impatient) {
      Thread.currentThread().interrupt();
    }
  }
}
