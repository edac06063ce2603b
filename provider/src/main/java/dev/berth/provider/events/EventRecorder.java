package dev.berth.provider.events;

import dev.berth.provider.kube.ApiException;
import dev.berth.provider.kube.RawApi;
import dev.berth.provider.lifecycle.PodEvent;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Posts events in the background, with the kubelet's limits: 50 a second after a burst of 100, and
 * 25 about one object, then one in five minutes. What is repeated is counted; what does not fit is
 * dropped. Telling never blocks.
 */
public final class EventRecorder implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EventRecorder.class);
  private static final int WAITING = 1000;
  private static final int REMEMBERED = 4096;

  private final RawApi api;
  private final String nodeName;
  private final BlockingQueue<Told> queue = new ArrayBlockingQueue<>(WAITING);
  private final Map<Told.Same, Posted> posted = new Remembered<>();
  private final Map<String, TokenBucket> perObject = new Remembered<>();
  private final TokenBucket all = new TokenBucket(50, 100, System.nanoTime());
  private final Counter dropped;
  private final Thread poster;

  /** An event at the API server and how often it was told. */
  private record Posted(String name, int count, Instant first) {}

  /** Forgets what was used least recently. */
  private static final class Remembered<K, V> extends LinkedHashMap<K, V> {
    private static final long serialVersionUID = 1L;

    private Remembered() {
      super(256, 0.75f, true);
    }

    @Override
    protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
      return size() > REMEMBERED;
    }
  }

  public EventRecorder(RawApi api, String nodeName, MeterRegistry metrics) {
    this.api = api;
    this.nodeName = nodeName;
    this.dropped =
        Counter.builder("berth_events_dropped")
            .description("Events that were not posted because of a limit")
            .register(metrics);
    this.poster = Thread.ofVirtual().name("events").start(this::post);
  }

  /** Tells something about a pod's container. Never blocks. */
  public void tell(Pod pod, PodEvent event) {
    ObjectReferenceBuilder about =
        new ObjectReferenceBuilder()
            .withApiVersion("v1")
            .withKind("Pod")
            .withNamespace(pod.getMetadata().getNamespace())
            .withName(pod.getMetadata().getName())
            .withUid(pod.getMetadata().getUid())
            .withResourceVersion(pod.getMetadata().getResourceVersion());
    offer(about.build(), event);
  }

  /** Tells something about the node. Never blocks. */
  public void tellNode(PodEvent event) {
    offer(
        new ObjectReferenceBuilder().withKind("Node").withName(nodeName).withUid(nodeName).build(),
        event);
  }

  private void offer(ObjectReference about, PodEvent event) {
    Told told = new Told(about, event.warning(), event.reason(), event.message(), Instant.now());
    if (!queue.offer(told)) {
      dropped.increment();
    }
  }

  private void post() {
    try {
      while (!Thread.currentThread().isInterrupted()) {
        Told told = queue.take();
        if (!perObject
            .computeIfAbsent(
                told.about().getUid(), _ -> new TokenBucket(1 / 300.0, 25, System.nanoTime()))
            .take(System.nanoTime())) {
          dropped.increment();
          continue;
        }
        while (!all.take(System.nanoTime())) {
          TimeUnit.NANOSECONDS.sleep(all.nanosUntilNext());
        }
        write(told);
      }
    } catch (InterruptedException closing) {
      Thread.currentThread().interrupt();
    }
  }

  private void write(Told told) {
    try {
      Posted before = posted.get(told.same());
      if (before == null || !count(told, before)) {
        create(told);
      }
    } catch (ApiException refused) {
      dropped.increment();
      LOG.debug("Event {} was not posted: {}", told.reason(), refused.getMessage());
    }
  }

  private boolean count(Told told, Posted before) {
    int count = before.count() + 1;
    try {
      api.send(
          "PATCH",
          path(told) + "/" + before.name(),
          RawApi.STRATEGIC_MERGE,
          Map.of("count", count, "lastTimestamp", time(told.at())));
      posted.put(told.same(), new Posted(before.name(), count, before.first()));
      return true;
    } catch (ApiException refused) {
      if (refused.status() == 404) {
        return false;
      }
      throw refused;
    }
  }

  private void create(Told told) {
    String name =
        "%s.%x"
            .formatted(told.about().getName(), ChronoUnit.NANOS.between(Instant.EPOCH, told.at()));
    Map<String, @Nullable Object> event = new LinkedHashMap<>();
    event.put("apiVersion", "v1");
    event.put("kind", "Event");
    event.put("metadata", Map.of("name", name, "namespace", namespace(told)));
    event.put("involvedObject", told.about());
    event.put("type", told.warning() ? "Warning" : "Normal");
    event.put("reason", told.reason());
    event.put("message", shortened(told.message()));
    event.put("source", Map.of("component", "kubelet", "host", nodeName));
    event.put("reportingComponent", "kubelet");
    event.put("reportingInstance", nodeName);
    event.put("count", 1);
    event.put("firstTimestamp", time(told.at()));
    event.put("lastTimestamp", time(told.at()));
    api.send("POST", path(told), "application/json", event);
    posted.put(told.same(), new Posted(name, 1, told.at()));
  }

  private static String path(Told told) {
    return "/api/v1/namespaces/%s/events".formatted(namespace(told));
  }

  private static String namespace(Told told) {
    String namespace = told.about().getNamespace();
    return namespace == null ? "default" : namespace;
  }

  private static String shortened(String message) {
    return message.length() <= 1000 ? message : message.substring(0, 1000) + "...";
  }

  private static String time(Instant at) {
    return at.truncatedTo(ChronoUnit.SECONDS).toString();
  }

  /** Drops what is waiting. Idempotent. */
  @Override
  public void close() {
    poster.interrupt();
  }
}
