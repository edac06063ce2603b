package dev.berth.e2e.bench;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.internal.SSLUtils;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;

/**
 * Creates pods at the API server and sees through watches what becomes of them. The watches ask for
 * metadata only, and the one that counts pods Running lets the API server choose them: so this
 * process leaves the processors to those it measures.
 */
final class PodLoad {
  private static final int CREATORS = 32;

  private final SSLContext context;
  private final URI server;
  private final String pods;
  private final String node;
  private final String image;

  PodLoad(Path kubeconfig, String namespace, String node, String image) throws IOException {
    Config config = Config.fromKubeconfig(kubeconfig.toFile());
    this.server = URI.create(config.getMasterUrl());
    this.pods = "/api/v1/namespaces/%s/pods".formatted(namespace);
    this.node = node;
    this.image = image;
    try {
      this.context = SSLUtils.sslContext(config);
    } catch (GeneralSecurityException unusable) {
      throw new IOException("the kubeconfig's credentials cannot be used", unusable);
    }
  }

  /** Pods seen through a watch, until it is closed. */
  final class Seen implements AutoCloseable {
    private final String event;
    private final String path;
    private final Set<String> names = new HashSet<>();
    private volatile ApiConnection connection;
    private volatile boolean closed;
    private String version = "";

    private Seen(String event, String selector) throws IOException {
      this.event = "{\"type\":\"%s\"".formatted(event);
      this.path = pods + "?watch=1" + selector;
      this.connection = connect();
      BufferedReader events = connection.watch(path);
      Thread.ofVirtual().start(() -> follow(events));
    }

    /** The API server ends the watch of a reader that a busy machine holds up: it is resumed. */
    private void follow(BufferedReader first) {
      BufferedReader events = first;
      try {
        while (!closed) {
          read(events);
          connection.close();
          connection = connect();
          events = connection.watch(path + "&resourceVersion=" + version);
        }
        connection.close();
      } catch (IOException unreachable) {
        // What was not seen is missed by whoever awaits it.
      }
    }

    private void read(BufferedReader events) {
      try {
        for (String line = events.readLine(); line != null; line = events.readLine()) {
          version = value(line, "resourceVersion");
          if (line.startsWith(event)) {
            saw(value(line, "name"));
          }
        }
      } catch (IOException ended) {
        // As when it ended in good order.
      }
    }

    private synchronized void saw(String name) {
      names.add(name);
      notifyAll();
    }

    private static String value(String line, String field) {
      String key = "\"%s\":\"".formatted(field);
      int begin = line.indexOf(key) + key.length();
      return line.substring(begin, line.indexOf('"', begin));
    }

    synchronized int count() {
      return names.size();
    }

    /** Waits until so many different pods were seen; false when they were not in time. */
    synchronized boolean await(int count, long patienceNanos) throws InterruptedException {
      long end = System.nanoTime() + patienceNanos;
      while (names.size() < count) {
        long left = (end - System.nanoTime()) / 1_000_000;
        if (left <= 0) {
          return false;
        }
        wait(left);
      }
      return true;
    }

    @Override
    public void close() throws IOException {
      closed = true;
      connection.close();
    }
  }

  /** Pods that become Running from now on, and those that are. */
  Seen running() throws IOException {
    return new Seen("ADDED", "&fieldSelector=status.phase%3DRunning");
  }

  /** Pods whose objects are removed from now on. */
  Seen gone() throws IOException {
    return new Seen("DELETED", "");
  }

  /** Creates the pods {@code bench-0} and on, with 32 requests under way. */
  void create(int count) throws IOException, InterruptedException {
    AtomicInteger next = new AtomicInteger();
    try (ExecutorService creators = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < CREATORS; i++) {
        ApiConnection connection = connect();
        all.add(creators.submit(() -> createWith(connection, next, count)));
      }
      for (Future<?> each : all) {
        each.get();
      }
    } catch (ExecutionException failed) {
      throw new IOException("pods could not be created", failed);
    }
  }

  private void createWith(ApiConnection connection, AtomicInteger next, int count) {
    try (connection) {
      for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
        int status = connection.post(pods, pod(i));
        if (status != 201) {
          throw new IOException("creating a pod: %d".formatted(status));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private byte[] pod(int index) {
    return """
        {"apiVersion":"v1","kind":"Pod","metadata":{"name":"bench-%d"},"spec":{"nodeName":"%s",\
        "automountServiceAccountToken":false,"terminationGracePeriodSeconds":1,"containers":[\
        {"name":"main","image":"%s","imagePullPolicy":"IfNotPresent"}]}}"""
        .formatted(index, node, image)
        .getBytes(StandardCharsets.UTF_8);
  }

  private ApiConnection connect() throws IOException {
    return new ApiConnection(context, server);
  }
}
