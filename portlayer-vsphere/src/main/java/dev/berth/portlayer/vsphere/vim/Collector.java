package dev.berth.portlayer.vsphere.vim;

import dev.berth.portlayer.vsphere.vim.Tasks.LocalizedMethodFault;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** What the PropertyCollector takes and gives. */
public final class Collector {
  private Collector() {}

  public record PropertyFilterSpec(List<PropertySpec> propSet, List<ObjectSpec> objectSet)
      implements DataObject {}

  /**
   * @param type of the managed objects it is for
   * @param pathSet as {@code runtime.powerState}
   */
  public record PropertySpec(String type, @Nullable Boolean all, List<String> pathSet)
      implements DataObject {
    public PropertySpec(String type, List<String> pathSet) {
      this(type, null, pathSet);
    }
  }

  /**
   * Where to look for objects.
   *
   * @param skip whether {@code obj} itself is left out
   */
  public record ObjectSpec(
      ManagedObjectReference obj, @Nullable Boolean skip, List<Selection> selectSet)
      implements DataObject {
    /** One object alone. */
    public static ObjectSpec of(ManagedObjectReference object) {
      return new ObjectSpec(object, false, List.of());
    }
  }

  /** A way from an object to others. */
  public sealed interface Selection extends DataObject {}

  /** A {@link TraversalSpec} of the same filter by its name, so that one can recur. */
  public record SelectionSpec(String name) implements Selection {}

  /**
   * From each object of a type to those that a property of it refers to.
   *
   * @param skip whether the objects found are left out
   */
  public record TraversalSpec(
      @Nullable String name,
      String type,
      String path,
      @Nullable Boolean skip,
      List<Selection> selectSet)
      implements Selection {}

  public record WaitOptions(@Nullable Integer maxWaitSeconds, @Nullable Integer maxObjectUpdates)
      implements DataObject {}

  public record UpdateSet(
      String version, List<PropertyFilterUpdate> filterSet, @Nullable Boolean truncated)
      implements DataObject {}

  public record PropertyFilterUpdate(
      ManagedObjectReference filter, List<ObjectUpdate> objectSet, List<MissingObject> missingSet)
      implements DataObject {}

  /**
   * @param kind {@code enter}, {@code modify} or {@code leave}
   */
  public record ObjectUpdate(
      String kind,
      ManagedObjectReference obj,
      List<PropertyChange> changeSet,
      List<MissingProperty> missingSet)
      implements DataObject {}

  /**
   * @param op {@code assign}, {@code add}, {@code remove} or {@code indirectRemove}
   * @param val as it came, boxed
   */
  public record PropertyChange(String name, String op, @Nullable JsonNode val)
      implements DataObject {}

  public record MissingProperty(String path, @Nullable LocalizedMethodFault fault)
      implements DataObject {}

  public record MissingObject(ManagedObjectReference obj, @Nullable LocalizedMethodFault fault)
      implements DataObject {}

  public record RetrieveOptions(@Nullable Integer maxObjects) implements DataObject {}

  public record RetrieveResult(@Nullable String token, List<ObjectContent> objects)
      implements DataObject {}

  public record ObjectContent(
      ManagedObjectReference obj, List<DynamicProperty> propSet, List<MissingProperty> missingSet)
      implements DataObject {}

  public record DynamicProperty(String name, JsonNode val) implements DataObject {}
}
