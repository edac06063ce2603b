package dev.berth.portlayer.vsphere.client;

import dev.berth.portlayer.vsphere.vim.Collector.ObjectUpdate;
import dev.berth.portlayer.vsphere.vim.Collector.PropertyChange;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import tools.jackson.databind.JsonNode;

/**
 * What the updates of a collector have told so far. One thread applies updates; any may read, and
 * sees each object whole.
 */
final class Inventory {
  private final Map<ManagedObjectReference, ManagedObject> objects = new ConcurrentHashMap<>();

  /** What has changed since {@link #drain}; one that is gone is not in {@link #objects}. */
  private Set<ManagedObjectReference> changed = new HashSet<>();

  /** During a first or new snapshot, what has not been told again yet. */
  private Set<ManagedObjectReference> unconfirmed = new HashSet<>();

  Map<ManagedObjectReference, ManagedObject> objects() {
    return objects;
  }

  /** Everything will be told anew; until then the last known stands. */
  void restart() {
    unconfirmed = new HashSet<>(objects.keySet());
  }

  void apply(ObjectUpdate update) {
    unconfirmed.remove(update.obj());
    switch (update.kind()) {
      case "leave" -> remove(update.obj());
      case "enter" -> put(update.obj(), Map.of(), update.changeSet());
      default -> {
        ManagedObject known = objects.get(update.obj());
        put(update.obj(), known == null ? Map.of() : known.properties(), update.changeSet());
      }
    }
  }

  /** All has been told that is: the rest went while nobody heard. */
  void complete() {
    unconfirmed.forEach(this::remove);
    unconfirmed = new HashSet<>();
  }

  private void remove(ManagedObjectReference gone) {
    if (objects.remove(gone) != null) {
      changed.add(gone);
    }
  }

  private void put(
      ManagedObjectReference object, Map<String, JsonNode> before, List<PropertyChange> changes) {
    Map<String, JsonNode> properties = new HashMap<>(before);
    for (PropertyChange change : changes) {
      JsonNode value = change.val();
      if (value != null && !value.isNull() && change.op().equals("assign")) {
        properties.put(change.name(), value);
      } else {
        properties.remove(change.name());
      }
    }
    ManagedObject now = new ManagedObject(object, properties);
    if (!now.equals(objects.put(object, now))) {
      changed.add(object);
    }
  }

  Set<ManagedObjectReference> drain() {
    Set<ManagedObjectReference> drained = changed;
    changed = new HashSet<>();
    return drained;
  }
}
