package dev.berth.portlayer.vsphere.vim;

import java.util.List;
import java.util.Objects;
import tools.jackson.databind.annotation.JsonDeserialize;
import tools.jackson.databind.annotation.JsonSerialize;

/**
 * A value where the API takes one of any type. On the wire a scalar, an enumeration or an array is
 * boxed with its type's name there, as {@code {"_typeName":"string","_value":"a"}}; a data object
 * is not.
 *
 * @param value a String (also for an enumeration's value), Boolean, Integer, Long, Double, Instant
 *     or byte[], a {@link DataObject}, or a List of such
 */
@JsonSerialize(using = AnyValueJson.Serializer.class)
@JsonDeserialize(using = AnyValueJson.Deserializer.class)
public record AnyValue(Object value) {
  public AnyValue {
    Objects.requireNonNull(value, "value");
  }

  /**
   * The value as one of a class.
   *
   * @throws IllegalArgumentException when it is something else
   */
  public <T> T as(Class<T> type) {
    if (type == Long.class && value instanceof Number number) {
      return type.cast(number.longValue());
    }
    if (!type.isInstance(value)) {
      throw new IllegalArgumentException(
          "a %s was expected, but it is a %s"
              .formatted(type.getSimpleName(), value.getClass().getSimpleName()));
    }
    return type.cast(value);
  }

  /**
   * The elements of an array, as those of a class.
   *
   * @throws IllegalArgumentException when it is no array, or one of something else
   */
  public <T> List<T> list(Class<T> type) {
    List<?> items = as(List.class);
    return items.stream().map(item -> new AnyValue(item).as(type)).toList();
  }
}
