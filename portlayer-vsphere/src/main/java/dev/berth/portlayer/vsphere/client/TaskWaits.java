package dev.berth.portlayer.vsphere.client;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.vsphere.vim.Collector.ObjectUpdate;
import dev.berth.portlayer.vsphere.vim.Collector.PropertyChange;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Tasks.TaskInfo;
import dev.berth.portlayer.vsphere.vim.VimJson;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The tasks that somebody waits for. They are in a view that the property stream follows; adding to
 * it takes one call, which also takes those out that have ended, and is shared by all who come
 * while another one is on its way.
 */
final class TaskWaits {
  /** Changes the view of one subscription. */
  interface View {
    /** Returns what of {@code add} does not exist. */
    List<ManagedObjectReference> modify(
        List<ManagedObjectReference> add, List<ManagedObjectReference> remove);
  }

  private final Map<ManagedObjectReference, CompletableFuture<TaskInfo>> waits =
      new ConcurrentHashMap<>();
  private final ConcurrentLinkedQueue<ManagedObjectReference> toAdd = new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<ManagedObjectReference> over = new ConcurrentLinkedQueue<>();
  private final ReentrantLock modifying = new ReentrantLock();
  private @Nullable View view;

  /** Begins to wait. The view may change once more before the future is complete. */
  CompletableFuture<TaskInfo> add(ManagedObjectReference task) {
    CompletableFuture<TaskInfo> wait =
        waits.computeIfAbsent(task, key -> new CompletableFuture<>());
    toAdd.add(task);
    modify();
    return wait;
  }

  /** Ends waiting. */
  void remove(ManagedObjectReference task) {
    waits.remove(task);
    over.add(task);
  }

  /** A new subscription has a new view; null while there is none. */
  void follow(@Nullable View next) {
    modifying.lock();
    try {
      view = next;
      toAdd.clear();
      over.clear();
      if (next != null && !waits.isEmpty()) {
        forget(next.modify(List.copyOf(waits.keySet()), List.of()));
      }
    } finally {
      modifying.unlock();
    }
  }

  private void modify() {
    modifying.lock();
    try {
      View present = view;
      List<ManagedObjectReference> added = drain(toAdd);
      if (present != null && !added.isEmpty()) {
        modify(present, added, drain(over));
      }
    } finally {
      modifying.unlock();
    }
  }

  private void modify(
      View present, List<ManagedObjectReference> added, List<ManagedObjectReference> removed) {
    try {
      forget(present.modify(added, removed));
    } catch (VimFault fault) {
      if (!fault.is("NotAuthenticated", "ManagedObjectNotFound")) {
        throw fault;
      }
      // The view went with its session; the next one will have all tasks in it.
    } catch (PortLayerException e) {
      toAdd.addAll(added); // Others wait for some of them, and try next.
      over.addAll(removed);
      throw e;
    }
  }

  private static List<ManagedObjectReference> drain(
      ConcurrentLinkedQueue<ManagedObjectReference> queue) {
    List<ManagedObjectReference> drained = new ArrayList<>();
    for (var item = queue.poll(); item != null; item = queue.poll()) {
      drained.add(item);
    }
    return drained;
  }

  void apply(ObjectUpdate update) {
    if (update.kind().equals("leave")) {
      if (waits.containsKey(update.obj())) {
        forget(List.of(update.obj()));
      }
      return;
    }
    for (PropertyChange change : update.changeSet()) {
      if (change.name().equals("info") && change.val() != null) {
        end(update.obj(), VimJson.read(change.val(), TaskInfo.class));
      }
    }
  }

  private void end(ManagedObjectReference task, TaskInfo info) {
    CompletableFuture<TaskInfo> wait = waits.get(task);
    if (info.over() && wait != null) {
      wait.complete(info);
    }
  }

  private void forget(List<ManagedObjectReference> unknown) {
    for (ManagedObjectReference task : unknown) {
      CompletableFuture<TaskInfo> wait = waits.get(task);
      if (wait != null) {
        wait.completeExceptionally(
            new PortLayerException(
                Code.UNAVAILABLE,
                "vCenter no longer knows the %s; whether it was done has to be looked up"
                    .formatted(task)));
      }
    }
  }

  /** Nobody will hear of any task any more. */
  void close() {
    waits
        .values()
        .forEach(
            wait ->
                wait.completeExceptionally(
                    new PortLayerException(
                        Code.UNAVAILABLE, "The connection to vCenter was closed")));
  }
}
