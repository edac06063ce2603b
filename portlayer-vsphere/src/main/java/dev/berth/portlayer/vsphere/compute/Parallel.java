package dev.berth.portlayer.vsphere.compute;

import dev.berth.portlayer.PortLayerException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The same for several at once. All are done before the first failure is thrown. */
final class Parallel {
  private Parallel() {}

  static <T> void each(List<T> items, Consumer<T> work) {
    map(
        items,
        item -> {
          work.accept(item);
          return true;
        });
  }

  static <T, R> List<R> map(List<T> items, Function<T, R> work) {
    if (items.size() == 1) {
      return List.of(work.apply(items.getFirst()));
    }
    List<Future<R>> futures = new ArrayList<>();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      items.forEach(item -> futures.add(threads.submit(() -> work.apply(item))));
    }
    List<R> results = new ArrayList<>();
    RuntimeException first = null;
    for (Future<R> future : futures) {
      try {
        results.add(future.get());
      } catch (InterruptedException e) {
        throw PortLayerException.interrupted("waiting for work that is done", e);
      } catch (ExecutionException e) {
        first = worse(first, e.getCause());
      }
    }
    if (first != null) {
      throw first;
    }
    return results;
  }

  private static RuntimeException worse(
      @Nullable RuntimeException first, @Nullable Throwable failure) {
    RuntimeException next =
        failure instanceof RuntimeException known ? known : new IllegalStateException(failure);
    if (first == null) {
      return next;
    }
    first.addSuppressed(next);
    return first;
  }
}
