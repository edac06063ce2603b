package dev.berth.portlayer.vsphere.vim;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationContext;
import tools.jackson.databind.deser.std.StdDeserializer;
import tools.jackson.databind.ser.std.StdSerializer;

/** The boxing of {@link AnyValue}. */
final class AnyValueJson {
  private static final String TYPE = "_typeName";
  private static final String VALUE = "_value";
  private static final String ARRAY = "ArrayOf";

  private AnyValueJson() {}

  static final class Serializer extends StdSerializer<AnyValue> {
    Serializer() {
      super(AnyValue.class);
    }

    @Override
    public void serialize(AnyValue any, JsonGenerator generator, SerializationContext context) {
      Object value = any.value();
      if (value instanceof DataObject object) {
        context.writeValue(generator, object);
        return;
      }
      generator.writeStartObject();
      generator.writeStringProperty(TYPE, boxName(value));
      generator.writeName(VALUE);
      if (value instanceof List<?> list) {
        generator.writeStartArray();
        list.forEach(item -> context.writeValue(generator, item));
        generator.writeEndArray();
      } else {
        context.writeValue(generator, value);
      }
      generator.writeEndObject();
    }

    private static String boxName(Object value) {
      return switch (value) {
        case String ignored -> "string";
        case Boolean ignored -> "boolean";
        case Integer ignored -> "int";
        case Long ignored -> "long";
        case Double ignored -> "double";
        case Instant ignored -> "dateTime";
        case byte[] ignored -> "binary";
        case List<?> list when !list.isEmpty() -> arrayName(list.getFirst());
        default ->
            throw new IllegalArgumentException(
                "a value of " + value.getClass() + " has no type in the vSphere API");
      };
    }

    private static String arrayName(Object element) {
      if (element instanceof DataObject object) {
        return ARRAY + object.getClass().getSimpleName();
      }
      String name = boxName(element);
      return ARRAY + Character.toUpperCase(name.charAt(0)) + name.substring(1);
    }
  }

  static final class Deserializer extends StdDeserializer<AnyValue> {
    Deserializer() {
      super(AnyValue.class);
    }

    @Override
    public AnyValue deserialize(JsonParser parser, DeserializationContext context) {
      return new AnyValue(unbox(context.readTree(parser), context));
    }

    private static Object unbox(JsonNode node, DeserializationContext context) {
      if (!node.isObject()) {
        return plain("", node, context);
      }
      JsonNode boxed = node.get(VALUE);
      return boxed == null
          ? context.readTreeAsValue(node, DataObject.class)
          : plain(node.path(TYPE).asString(""), boxed, context);
    }

    /** A value inside its box: its elements, if it has any, are in a typed position. */
    private static Object plain(String type, JsonNode value, DeserializationContext context) {
      if (value.isArray()) {
        String element = type.startsWith(ARRAY) ? type.substring(ARRAY.length()) : "";
        List<Object> list = new ArrayList<>(value.size());
        value.forEach(
            item ->
                list.add(item.isObject() ? unbox(item, context) : plain(element, item, context)));
        return List.copyOf(list);
      }
      return switch (type) {
        case "dateTime", "DateTime" -> context.readTreeAsValue(value, Instant.class);
        case "long", "Long" -> value.asLong();
        case "double", "float", "Double", "Float" -> value.asDouble();
        case "binary", "base64Binary" -> context.readTreeAsValue(value, byte[].class);
        default -> scalar(value);
      };
    }

    private static Object scalar(JsonNode value) {
      if (value.isBoolean()) {
        return value.booleanValue();
      }
      if (value.isInt()) {
        return value.intValue();
      }
      if (value.isIntegralNumber()) {
        return value.longValue();
      }
      return value.isNumber() ? (Object) value.doubleValue() : value.asString("");
    }
  }
}
