package dev.berth.portlayer.vsphere.client;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.vsphere.client.Sessions.Session;
import dev.berth.portlayer.vsphere.vim.Collector.ObjectUpdate;
import dev.berth.portlayer.vsphere.vim.Collector.PropertyFilterSpec;
import dev.berth.portlayer.vsphere.vim.Collector.PropertyFilterUpdate;
import dev.berth.portlayer.vsphere.vim.Collector.UpdateSet;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Methods.TaskRequest;
import dev.berth.portlayer.vsphere.vim.Request;
import dev.berth.portlayer.vsphere.vim.Tasks.TaskInfo;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows objects of vCenter and tasks by one request that vCenter keeps open. It goes on by itself
 * after an outage and in a new session, and tells what changed meanwhile; until then the objects
 * are as last known. Safe for use by many threads.
 */
public final class PropertyStream implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PropertyStream.class);
  private static final Duration FOREVER = Duration.ofDays(36500);

  /** Hears of changes. */
  @FunctionalInterface
  public interface Listener {
    /**
     * Is called on the stream's thread, which it must not hold up.
     *
     * @param objects that changed, came or went since the last call
     */
    void changed(PropertyStream stream, Set<ManagedObjectReference> objects);
  }

  /** Makes calls in one session. */
  public interface Calls {
    /** As {@link VimClient#find}. */
    <R> Optional<R> find(ManagedObjectReference target, Request<R> request);
  }

  /** What is followed that lives no longer than a session. */
  @FunctionalInterface
  public interface SessionFilters {
    /** Makes it anew, in each session, and says what to follow of it. Must be quick. */
    List<PropertyFilterSpec> in(Calls session);
  }

  private final VimClient client;
  private final List<PropertyFilterSpec> filters;
  private final SessionFilters sessionFilters;
  private final Listener listener;
  private final Inventory inventory = new Inventory();
  private final TaskWaits tasks = new TaskWaits();
  private final CompletableFuture<Void> firstSnapshot = new CompletableFuture<>();
  private final Thread thread;
  private volatile boolean current;
  private volatile boolean closed;

  private PropertyStream(
      VimClient client,
      List<PropertyFilterSpec> filters,
      SessionFilters sessionFilters,
      Listener listener) {
    this.client = client;
    this.filters = List.copyOf(filters);
    this.sessionFilters = sessionFilters;
    this.listener = listener;
    Subscription first = client.inSession(this::subscribe);
    thread = Thread.ofVirtual().name("vcenter-properties").unstarted(() -> run(first));
  }

  /**
   * Begins to follow, and returns when all that is now has been told.
   *
   * @throws PortLayerException UNAVAILABLE, DEADLINE_EXCEEDED
   * @throws VimFault when vCenter refuses a filter
   */
  public static PropertyStream open(
      VimClient client, List<PropertyFilterSpec> filters, Listener listener) {
    return open(client, filters, session -> List.of(), listener);
  }

  /** As {@link #open(VimClient, List, Listener)}, with what lives no longer than a session. */
  public static PropertyStream open(
      VimClient client,
      List<PropertyFilterSpec> filters,
      SessionFilters sessionFilters,
      Listener listener) {
    PropertyStream stream = new PropertyStream(client, filters, sessionFilters, listener);
    stream.thread.start();
    try {
      get(stream.firstSnapshot, client.settings().patience(), "the first snapshot");
    } catch (RuntimeException e) {
      stream.close();
      throw e;
    }
    return stream;
  }

  /** The object as last known, if it is one of those that are followed. */
  public Optional<ManagedObject> object(ManagedObjectReference reference) {
    return Optional.ofNullable(inventory.objects().get(reference));
  }

  /** All objects of a type that are followed, in no order. */
  public List<ManagedObject> objects(String type) {
    return inventory.objects().values().stream()
        .filter(object -> object.reference().type().equals(type))
        .toList();
  }

  /** Whether vCenter was there at the last attempt: if not, objects are as last known. */
  public boolean current() {
    return current;
  }

  /**
   * Starts a task and waits for its end.
   *
   * @return the task, which has succeeded
   * @throws VimFault when it is refused or fails
   * @throws PortLayerException DEADLINE_EXCEEDED (the task goes on), INTERRUPTED (as well),
   *     UNAVAILABLE (vCenter may have done it)
   */
  public TaskInfo run(ManagedObjectReference target, TaskRequest request, Duration deadline) {
    return await(client.call(target, request), deadline);
  }

  /** Waits for the end of a task, as {@link #run}. */
  public TaskInfo await(ManagedObjectReference task, Duration deadline) {
    TaskInfo info;
    try {
      info = get(tasks.add(task), deadline, "the " + task);
    } finally {
      tasks.remove(task);
    }
    if (info.error() != null) {
      String subject = info.entityName() == null ? "" : " of " + info.entityName();
      throw VimFault.ofTask(
          (info.descriptionId() == null ? info.key() : info.descriptionId()) + subject,
          info.error());
    }
    return info;
  }

  private static <T> T get(CompletableFuture<T> future, Duration deadline, String what) {
    try {
      return future.get(deadline.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      throw PortLayerException.interrupted("waiting for " + what + " at vCenter", e);
    } catch (TimeoutException e) {
      throw new PortLayerException(
          Code.DEADLINE_EXCEEDED,
          "vCenter did not end %s within %d s".formatted(what, deadline.toSeconds()),
          e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof PortLayerException known) {
        throw new PortLayerException(known.code(), String.valueOf(known.getMessage()), known);
      }
      throw new PortLayerException(Code.INTERNAL, "Waiting for " + what + " failed", e);
    }
  }

  private Subscription subscribe(Session session) {
    Subscription subscription = new Subscription(client, session, filters, sessionFilters);
    tasks.follow(subscription);
    return subscription;
  }

  private void run(Subscription first) {
    Subscription subscription = first;
    Backoff backoff = new Backoff(FOREVER);
    while (!closed) {
      try {
        if (subscription == null) {
          subscription = client.inSession(this::subscribe);
        }
        follow(subscription, backoff);
      } catch (VimFault fault) {
        LOG.info("vCenter ended the stream of properties, it is begun anew: {}", fault.typeName());
        subscription = ended(subscription, !VimClient.ended(fault));
        backoff.pause(Duration.ZERO);
      } catch (PortLayerException e) {
        if (!lostContact(e)) {
          return;
        }
        backoff.pause(pauseAfter(e));
      } catch (RuntimeException e) {
        LOG.error("The stream of vCenter's properties failed, it is begun anew", e);
        subscription = ended(subscription, true);
        backoff.pause(Duration.ZERO);
      }
    }
  }

  /** Accounts are locked after a few wrong passwords. */
  private static Duration pauseAfter(PortLayerException e) {
    return e.code() == Code.UNAUTHENTICATED ? Duration.ofMinutes(1) : Duration.ZERO;
  }

  private @Nullable Subscription ended(@Nullable Subscription old, boolean sessionLives) {
    current = false;
    tasks.follow(null);
    if (old != null && sessionLives) {
      old.destroy();
    }
    return null;
  }

  /** Reads updates until the subscription ends, by a fault, or contact is lost. */
  private void follow(Subscription subscription, Backoff backoff) {
    String version = "";
    boolean snapshot = true;
    inventory.restart();
    while (!closed) {
      try {
        Duration wait = snapshot ? Duration.ZERO : client.settings().updateWait();
        Optional<UpdateSet> updates = subscription.await(version, wait);
        backoff.reset();
        version = updates.map(UpdateSet::version).orElse(version);
        apply(updates.map(UpdateSet::filterSet).orElse(List.of()));
        if (!updates.map(UpdateSet::truncated).orElse(false)) {
          snapshot = false;
          complete();
        }
      } catch (PortLayerException e) {
        if (!lostContact(e)) {
          throw e;
        }
        backoff.pause(Duration.ZERO);
      } catch (VimFault fault) {
        if (!fault.is("InvalidCollectorVersion") || version.isEmpty()) {
          throw fault;
        }
        version = "";
        snapshot = true;
        inventory.restart();
      }
    }
  }

  private void complete() {
    inventory.complete();
    Set<ManagedObjectReference> changed = inventory.drain();
    if (!changed.isEmpty()) {
      tell(changed);
    }
    if (!current) {
      LOG.info("vCenter's properties are current");
    }
    current = true;
    firstSnapshot.complete(null);
  }

  /** Whether to try again. */
  private boolean lostContact(PortLayerException e) {
    if (closed || e.code() == Code.INTERRUPTED) {
      return false;
    }
    if (current) {
      LOG.warn("vCenter's properties are as last known: {}", e.getMessage());
    }
    current = false;
    return true;
  }

  private void apply(List<PropertyFilterUpdate> filters) {
    filters.stream().flatMap(filter -> filter.objectSet().stream()).forEach(this::apply);
  }

  private void apply(ObjectUpdate update) {
    if (update.obj().type().equals("Task")) {
      tasks.apply(update);
    } else {
      inventory.apply(update);
    }
  }

  private void tell(Set<ManagedObjectReference> changed) {
    try {
      listener.changed(this, changed);
    } catch (RuntimeException e) {
      LOG.error("Somebody who follows vCenter's properties failed on {}", changed, e);
    }
  }

  @Override
  public void close() {
    closed = true;
    thread.interrupt();
    try {
      thread.join(Duration.ofSeconds(5));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    tasks.close();
  }
}
