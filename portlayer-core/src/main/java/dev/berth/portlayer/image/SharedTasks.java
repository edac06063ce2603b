package dev.berth.portlayer.image;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.image.content.Deadline;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Does one piece of work once for everybody who wants it at the same time. A waiter who gives up
 * leaves; the work is interrupted when the last one has left.
 */
final class SharedTasks<K, V> {
  private final Executor executor;
  private final String doing;
  private final Map<K, Task> tasks = new HashMap<>();

  /**
   * @param executor runs the work; an interrupt of its thread must end it
   * @param doing begins messages, such as {@code pulling an image}
   */
  SharedTasks(Executor executor, String doing) {
    this.executor = executor;
    this.doing = doing;
  }

  private final class Task implements Runnable {
    final CompletableFuture<V> result = new CompletableFuture<>();
    final CompletableFuture<Boolean> ended = new CompletableFuture<>();
    private final K key;
    private final Function<Supplier<Deadline>, V> work;
    private final List<Supplier<Deadline>> waiters = new ArrayList<>();
    private boolean abandoned;
    private @Nullable Thread runner;

    Task(K key, Function<Supplier<Deadline>, V> work) {
      this.key = key;
      this.work = work;
    }

    @Override
    public void run() {
      try {
        if (begin()) {
          result.complete(work.apply(this::deadline));
        }
      } catch (RuntimeException | Error e) {
        result.completeExceptionally(e);
      } finally {
        end();
        finish(key, this);
      }
    }

    private boolean begin() {
      synchronized (tasks) {
        runner = Thread.currentThread();
        return !abandoned;
      }
    }

    /** From here on nobody interrupts the thread, which goes on to other work. */
    private void end() {
      synchronized (tasks) {
        runner = null;
        Thread.interrupted();
      }
    }

    /** The latest of the waiters' deadlines, which themselves may be extended by others. */
    private Deadline deadline() {
      synchronized (tasks) {
        return waiters.stream()
            .map(Supplier::get)
            .reduce(Deadline::later)
            .orElseGet(() -> Deadline.after(Duration.ZERO));
      }
    }

    private void leave(Supplier<Deadline> waiter) {
      synchronized (tasks) {
        waiters.remove(waiter);
        if (waiters.isEmpty()) {
          abandoned = true;
          if (runner != null) {
            runner.interrupt();
          }
        }
      }
    }
  }

  private void finish(K key, Task task) {
    synchronized (tasks) {
      tasks.remove(key, task);
    }
    task.ended.complete(true);
  }

  /**
   * Joins the work of that key, or begins it.
   *
   * @param deadline this waiter's, asked again when it seems to have passed
   * @param shareFailure whether a failure of work begun for another counts; else it is tried anew
   * @throws PortLayerException the work's, or DEADLINE_EXCEEDED or INTERRUPTED for this waiter only
   */
  V run(
      K key,
      Supplier<Deadline> deadline,
      boolean shareFailure,
      Function<Supplier<Deadline>, V> work) {
    while (true) {
      Task fresh = new Task(key, work);
      Task task;
      boolean joinable;
      synchronized (tasks) {
        task = tasks.computeIfAbsent(key, absent -> fresh);
        joinable = !task.abandoned;
        if (joinable) {
          task.waiters.add(deadline);
        }
      }
      if (task == fresh) {
        start(key, task);
      }
      if (!joinable) {
        await(task.ended, deadline);
        continue;
      }
      try {
        return join(task, deadline);
      } catch (PortLayerException e) {
        boolean mine = task == fresh || shareFailure || deadline.get().expired();
        if (mine || Thread.currentThread().isInterrupted()) {
          throw e;
        }
      }
    }
  }

  private void start(K key, Task task) {
    try {
      executor.execute(task);
    } catch (RuntimeException e) {
      task.result.completeExceptionally(
          new PortLayerException(
              Code.FAILED_PRECONDITION, doing + ": the image store is closed", e));
      finish(key, task);
    }
  }

  private V join(Task task, Supplier<Deadline> deadline) {
    try {
      return await(task.result, deadline);
    } finally {
      task.leave(deadline);
    }
  }

  private <T> T await(CompletableFuture<T> future, Supplier<Deadline> deadline) {
    while (true) {
      try {
        return future.get(deadline.get().remaining().toNanos(), TimeUnit.NANOSECONDS);
      } catch (InterruptedException e) {
        throw PortLayerException.interrupted(doing, e);
      } catch (TimeoutException e) {
        if (deadline.get().expired()) {
          throw new PortLayerException(
              Code.DEADLINE_EXCEEDED, doing + " took longer than its deadline", e);
        }
      } catch (ExecutionException e) {
        @Nullable Throwable cause = e.getCause();
        if (cause instanceof PortLayerException known) {
          throw known;
        }
        throw new PortLayerException(Code.INTERNAL, doing + " failed: " + cause, e);
      }
    }
  }
}
