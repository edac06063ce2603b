package dev.berth.portlayer.vsphere.vim;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/** An instance of any record of the API, each property of it set. */
final class Samples {
  private Samples() {}

  static Object of(Class<?> type) {
    try {
      RecordComponent[] components = type.getRecordComponents();
      Class<?>[] types =
          Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
      Object[] values =
          Arrays.stream(components)
              .map(component -> value(component.getName(), component.getGenericType()))
              .toArray();
      return type.getDeclaredConstructor(types).newInstance(values);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("cannot make a " + type, e);
    }
  }

  private static Object value(String name, Type type) {
    if (type instanceof ParameterizedType list) {
      return List.of(value(name, list.getActualTypeArguments()[0]));
    }
    Class<?> plain = (Class<?>) type;
    if (plain == Long.class) {
      return 1L << 40;
    }
    if (plain == Integer.class) {
      return 7;
    }
    if (plain == Boolean.class || plain == boolean.class) {
      return true;
    }
    if (plain == Instant.class) {
      return Instant.parse("2026-01-02T03:04:05.123456Z");
    }
    if (plain == AnyValue.class) {
      return new AnyValue("any");
    }
    if (plain == JsonNode.class) {
      return JsonNodeFactory.instance.objectNode().put("_typeName", "int").put("_value", 3);
    }
    if (plain == GenericObject.class || (plain.isInterface() && !plain.isSealed())) {
      return generic();
    }
    if (plain == Collector.Selection.class) {
      return new Collector.SelectionSpec("recur");
    }
    return plain == String.class ? text(name) : of(plain);
  }

  /** An event's type is its own, and not data. */
  private static String text(String name) {
    return name.equals("typeName") ? "Event" : "text of " + name;
  }

  private static GenericObject generic() {
    return new GenericObject(
        JsonNodeFactory.instance.objectNode().put("_typeName", "Strange").put("key", 7));
  }
}
