package dev.berth.portlayer.memory;

import dev.berth.portlayer.PortLayerException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/** What a test has asked to go wrong. */
final class Faults {
  private final Map<Operation, Deque<PortLayerException>> failures = new EnumMap<>(Operation.class);
  private final Map<Operation, Integer> calls = new EnumMap<>(Operation.class);
  private final Set<Operation> held = EnumSet.noneOf(Operation.class);

  synchronized void failNext(Operation operation, PortLayerException failure) {
    failures.computeIfAbsent(operation, key -> new ArrayDeque<>()).addLast(failure);
  }

  synchronized void hold(Operation operation) {
    held.add(operation);
  }

  synchronized void release(Operation operation) {
    held.remove(operation);
    notifyAll();
  }

  synchronized int calls(Operation operation) {
    return calls.getOrDefault(operation, 0);
  }

  /** Every call of the port layer begins here. */
  synchronized void enter(Operation operation) {
    calls.merge(operation, 1, Integer::sum);
    while (held.contains(operation)) {
      try {
        wait();
      } catch (InterruptedException e) {
        throw PortLayerException.interrupted("waiting in " + operation, e);
      }
    }
    Deque<PortLayerException> planned = failures.get(operation);
    if (planned != null && !planned.isEmpty()) {
      PortLayerException failure = planned.removeFirst();
      throw new PortLayerException(failure.code(), String.valueOf(failure.getMessage()), failure);
    }
  }
}
