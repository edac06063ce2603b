package dev.berth.provider.kube;

import dev.berth.provider.kube.http.Subscription;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodList;
import io.fabric8.kubernetes.api.model.Status;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;

/**
 * Tells of every change of a node's pods: lists them, then watches, and lists again when the watch
 * cannot be resumed where it ended. What happened between is told then, a removal too.
 */
public final class PodWatch implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PodWatch.class);
  private static final int PAGE = 500;
  private static final int GONE = 410;

  /** After these seconds at the least the server ends a watch, which is then resumed. */
  private static final int WATCH_SECONDS = 300;

  private static final Duration SHORTEST_PAUSE = Duration.ofMillis(500);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

  private final RawApi api;
  private final String path;
  private final Listener listener;
  private final PodJson json = new PodJson();

  /** By UID, as last told; a namesake that was made anew is another pod. */
  private final Map<String, Pod> known = new HashMap<>();

  private String version = "";
  private volatile @Nullable Thread thread;

  /** Is told by one thread at a time. */
  public interface Listener {
    void added(Pod pod);

    void changed(Pod before, Pod after);

    /**
     * @param last as it was seen last
     */
    void removed(Pod last);
  }

  public PodWatch(RawApi api, String nodeName, Listener listener) {
    this.api = api;
    this.path =
        "/api/v1/pods?fieldSelector=spec.nodeName%3D"
            + URLEncoder.encode(nodeName, StandardCharsets.UTF_8);
    this.listener = listener;
  }

  /**
   * Returns when every pod that there is was told.
   *
   * @throws ApiException when they cannot be listed
   */
  public void start() {
    list();
    thread = Thread.ofVirtual().name("pod-watch").start(this::run);
  }

  private void run() {
    Duration pause = SHORTEST_PAUSE;
    try {
      while (!Thread.currentThread().isInterrupted()) {
        if (follow()) {
          pause = SHORTEST_PAUSE;
        } else {
          Thread.sleep(pause.plusMillis(ThreadLocalRandom.current().nextLong(pause.toMillis())));
          Duration longer = pause.multipliedBy(2);
          pause = longer.compareTo(LONGEST_PAUSE) < 0 ? longer : LONGEST_PAUSE;
        }
      }
    } catch (InterruptedException closing) {
      Thread.currentThread().interrupt();
    }
  }

  /** One watch, with a list before it if there must be one; whether it brought anything. */
  private boolean follow() {
    try {
      if (version.isEmpty()) {
        list();
      }
      return watch();
    } catch (ApiException | JacksonException failure) {
      if (failure instanceof ApiException refused && refused.status() == GONE) {
        version = "";
      }
      if (!Thread.currentThread().isInterrupted()) {
        LOG.warn("Watching pods: {}", failure.getMessage());
      }
      return false;
    }
  }

  private void list() {
    List<Pod> pods = new ArrayList<>();
    PodList page = json.list(api.get(path + "&limit=" + PAGE));
    pods.addAll(page.getItems());
    while (page.getMetadata().getContinue() != null
        && !page.getMetadata().getContinue().isEmpty()) {
      String next = URLEncoder.encode(page.getMetadata().getContinue(), StandardCharsets.UTF_8);
      page = json.list(api.get(path + "&limit=" + PAGE + "&continue=" + next));
      pods.addAll(page.getItems());
    }
    Map<String, Pod> gone = new HashMap<>(known);
    pods.forEach(pod -> gone.remove(pod.getMetadata().getUid()));
    known.keySet().removeAll(gone.keySet());
    gone.values().forEach(listener::removed);
    pods.forEach(this::seen);
    version = page.getMetadata().getResourceVersion();
  }

  private boolean watch() {
    int seconds = WATCH_SECONDS + ThreadLocalRandom.current().nextInt(WATCH_SECONDS);
    String target =
        "%s&watch=1&allowWatchBookmarks=true&resourceVersion=%s&timeoutSeconds=%d"
            .formatted(path, version, seconds);
    try (Subscription watch = api.watch(target, Duration.ofSeconds(seconds + 30));
        JsonParser events = json.events(watch.body())) {
      boolean something = false;
      while (true) {
        PodJson.Event event = json.next(events).orElse(null);
        if (event == null) {
          return something;
        }
        something = true;
        if (event instanceof PodJson.Event.Failed(Status status)) {
          throw new ApiException(
              status.getCode() == null ? 0 : status.getCode(), "watch: " + status.getMessage());
        }
        tell(event);
      }
    }
  }

  private void tell(PodJson.Event event) {
    switch (event) {
      case PodJson.Event.Seen(Pod pod, boolean deleted) -> {
        if (deleted) {
          known.remove(pod.getMetadata().getUid());
          listener.removed(pod);
        } else {
          seen(pod);
        }
        version = pod.getMetadata().getResourceVersion();
      }
      case PodJson.Event.Bookmark(String reached) -> version = reached;
      case PodJson.Event.Failed _ -> throw new IllegalArgumentException("nothing to tell");
    }
  }

  private void seen(Pod pod) {
    Pod before = known.put(pod.getMetadata().getUid(), pod);
    if (before == null) {
      listener.added(pod);
    } else if (!before
        .getMetadata()
        .getResourceVersion()
        .equals(pod.getMetadata().getResourceVersion())) {
      listener.changed(before, pod);
    }
  }

  /** Whether changes are told; so they are while the API server cannot be reached. */
  public boolean running() {
    Thread watching = thread;
    return watching != null && watching.isAlive();
  }

  /** Tells nothing more. Idempotent. */
  @Override
  public void close() {
    Thread watching = thread;
    if (watching != null) {
      watching.interrupt();
    }
  }
}
