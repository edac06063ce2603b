package dev.berth.portlayer.vsphere.vim;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import java.io.InputStream;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JavaType;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationContext;
import tools.jackson.databind.deser.DeserializationProblemHandler;
import tools.jackson.databind.deser.std.StdDeserializer;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.jsontype.NamedType;
import tools.jackson.databind.jsontype.TypeIdResolver;
import tools.jackson.databind.module.SimpleModule;
import tools.jackson.databind.ser.std.StdSerializer;

/**
 * VI/JSON: how the records of this package are written and read.
 *
 * <p>Reading is lenient where another release may differ: an unknown property is skipped, an object
 * of an unknown type is read as the known type that it stands for, or as {@link GenericObject}.
 */
public final class VimJson {
  private static final List<Class<?>> GROUPS =
      List.of(
          Administration.class,
          Clusters.class,
          Collector.class,
          Events.class,
          Service.class,
          Tasks.class,
          VirtualDevices.class,
          VmSpecs.class);

  private static final JsonMapper MAPPER = mapper();

  private VimJson() {}

  /** Every type that is known, named as its class is. */
  static Stream<Class<?>> types() {
    return Stream.concat(
        Stream.of(ManagedObjectReference.class),
        GROUPS.stream()
            .flatMap(group -> Arrays.stream(group.getDeclaredClasses()))
            .filter(type -> type.isRecord() && DataObject.class.isAssignableFrom(type)));
  }

  private static JsonMapper mapper() {
    SimpleModule module = new SimpleModule("vim");
    module.addSerializer(Instant.class, new DateSerializer());
    module.addDeserializer(Instant.class, new DateDeserializer());
    return JsonMapper.builder()
        .addModule(module)
        .registerSubtypes(
            types()
                .map(type -> new NamedType(type, type.getSimpleName()))
                .toArray(NamedType[]::new))
        .addHandler(new UnknownTypes())
        .changeDefaultPropertyInclusion(
            inclusion -> inclusion.withValueInclusion(JsonInclude.Include.NON_NULL))
        .withConfigOverride(
            List.class,
            override ->
                override
                    .setInclude(
                        JsonInclude.Value.construct(
                            JsonInclude.Include.NON_EMPTY, JsonInclude.Include.USE_DEFAULTS))
                    .setNullHandling(JsonSetter.Value.forValueNulls(Nulls.AS_EMPTY)))
        .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
        .disable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
        .build();
  }

  /** The JSON of a method's parameters or of a data object. */
  public static byte[] write(Object value) {
    return MAPPER.writeValueAsBytes(value);
  }

  /** Reads what a method returns. */
  public static <R> R readResult(byte[] json, Request<R> request) {
    JavaType result = MAPPER.constructType(request.getClass()).findTypeParameters(Request.class)[0];
    return MAPPER.readValue(json, result);
  }

  public static <T> T read(byte[] json, Class<T> type) {
    return MAPPER.readValue(json, type);
  }

  public static <T> T read(InputStream json, Class<T> type) {
    return MAPPER.readValue(json, type);
  }

  public static <T> T read(JsonNode json, Class<T> type) {
    return MAPPER.treeToValue(json, type);
  }

  /** Milliseconds would lose what vCenter orders by, and nanoseconds it refuses. */
  private static final class DateSerializer extends StdSerializer<Instant> {
    private static final DateTimeFormatter MICROSECONDS =
        DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC);

    DateSerializer() {
      super(Instant.class);
    }

    @Override
    public void serialize(Instant value, JsonGenerator generator, SerializationContext context) {
      generator.writeString(MICROSECONDS.format(value));
    }
  }

  private static final class DateDeserializer extends StdDeserializer<Instant> {
    DateDeserializer() {
      super(Instant.class);
    }

    @Override
    public Instant deserialize(JsonParser parser, DeserializationContext context) {
      String text = parser.getString();
      try {
        return OffsetDateTime.parse(text).toInstant();
      } catch (java.time.DateTimeException e) {
        return (Instant)
            context.handleWeirdStringValue(Instant.class, text, "not a date as in RFC 3339");
      }
    }
  }

  private static final class UnknownTypes extends DeserializationProblemHandler {
    @Override
    public @Nullable JavaType handleUnknownTypeId(
        DeserializationContext context,
        JavaType baseType,
        String subTypeId,
        TypeIdResolver resolver,
        String failure) {
      return known(context, baseType);
    }

    @Override
    public @Nullable JavaType handleMissingTypeId(
        DeserializationContext context,
        JavaType baseType,
        TypeIdResolver resolver,
        String failure) {
      return known(context, baseType);
    }

    private static @Nullable JavaType known(DeserializationContext context, JavaType baseType) {
      if (baseType.isConcrete()) {
        return baseType;
      }
      boolean open = baseType.getRawClass().isAssignableFrom(GenericObject.class);
      return open ? context.constructType(GenericObject.class) : null;
    }
  }
}
