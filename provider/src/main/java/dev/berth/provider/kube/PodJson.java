package dev.berth.provider.kube;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodList;
import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.io.InputStream;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;

/**
 * Pods out of lists and watches, read in one go and without {@code managedFields}, which nothing
 * here needs and which are a third of a pod.
 */
final class PodJson {
  private final ObjectMapper mapper = new Mapper().configured();

  /** One event of a watch. */
  sealed interface Event {
    /** A pod that is new or changed, or, when {@code deleted}, as it was last. */
    record Seen(Pod pod, boolean deleted) implements Event {}

    /** Nothing happened up to that version. */
    record Bookmark(String resourceVersion) implements Event {}

    /** The watch is at its end; what it would have shown next may have to be listed. */
    record Failed(Status status) implements Event {}
  }

  @JsonIgnoreProperties("managedFields")
  private interface Unmanaged {}

  /** Has the Kubernetes client's settings, which that keeps to itself. */
  private static final class Mapper extends KubernetesSerialization {
    private ObjectMapper configured() {
      return configureMapper(
          JsonMapper.builder()
              .addMixIn(ObjectMeta.class, Unmanaged.class)
              .disable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
              .build());
    }
  }

  PodList list(byte[] json) {
    return mapper.readValue(json, PodList.class);
  }

  /** The events of a watch, which {@link #next} reads one by one. */
  JsonParser events(InputStream stream) {
    return mapper.createParser(stream);
  }

  /**
   * The next event; waits for it. Empty at the end.
   *
   * @throws JacksonException when it cannot be read, or is of an unknown kind
   */
  Optional<Event> next(JsonParser events) {
    if (events.nextToken() == null) {
      return Optional.empty();
    }
    expect(events, "type");
    String type = events.getString();
    expect(events, "object");
    Event event =
        switch (type) {
          case "ADDED", "MODIFIED" -> new Event.Seen(mapper.readValue(events, Pod.class), false);
          case "DELETED" -> new Event.Seen(mapper.readValue(events, Pod.class), true);
          case "BOOKMARK" ->
              new Event.Bookmark(
                  mapper.readValue(events, Pod.class).getMetadata().getResourceVersion());
          case "ERROR" -> new Event.Failed(mapper.readValue(events, Status.class));
          default -> throw unexpected(events);
        };
    if (events.nextToken() != JsonToken.END_OBJECT) {
      throw unexpected(events);
    }
    return Optional.of(event);
  }

  /** Goes to the value of the field that comes next. */
  private static void expect(JsonParser events, String field) {
    if (events.nextToken() != JsonToken.PROPERTY_NAME || !field.equals(events.currentName())) {
      throw unexpected(events);
    }
    events.nextToken();
  }

  private static JacksonException unexpected(JsonParser events) {
    return new tools.jackson.core.exc.StreamReadException(events, "not an event of a watch");
  }
}
