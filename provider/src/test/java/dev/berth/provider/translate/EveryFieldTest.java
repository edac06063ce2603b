package dev.berth.provider.translate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Field;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * Goes over the Pod API as the client library knows it. A field that a new version of it brings is
 * refused, or fails this test until somebody has decided.
 */
@DisplayName("Every field of a pod's spec is on the list of what is done, or refused by its path")
class EveryFieldTest {
  /** Some are the only value that is done of a field. */
  private static final List<Object> TEXTS =
      List.of(
          "x",
          "linux",
          "Default",
          "Disabled",
          "Memory",
          "Merge",
          "None",
          "RuntimeDefault",
          "Unconfined");

  private final KubernetesSerialization serialization = new KubernetesSerialization();
  private final SupportedFields fields = new SupportedFields(serialization);

  /**
   * A field without fields of its own.
   *
   * @param path with {@code []} after a list and {@code {}} after a map
   */
  private record Leaf(String path, List<Object> values) {}

  @Test
  void everyField() throws IOException {
    List<Leaf> leaves = new ArrayList<>();
    collect(PodSpec.class, "", leaves);
    assertTrue(leaves.size() > 700, "the Pod API has more than %d fields".formatted(leaves.size()));

    TreeSet<String> accepted = new TreeSet<>();
    for (Leaf leaf : leaves) {
      List<List<String>> answers =
          leaf.values().stream().map(value -> fields.refused(pod(leaf.path(), value))).toList();
      if (answers.stream().anyMatch(List::isEmpty)) {
        accepted.add(leaf.path());
      } else {
        answers.forEach(refused -> assertNames(leaf.path(), refused));
      }
    }

    assertEquals(String.join("\n", supported()), String.join("\n", accepted));
  }

  /** The field itself, or what holds it when that is refused as a whole. */
  private static void assertNames(String path, List<String> refused) {
    String full = "spec." + path.replace("[]", "[0]").replace("{}", ".key");
    assertEquals(1, refused.size(), path + ": " + refused);
    String named = refused.getFirst().replaceFirst(" \\(.*", "");
    assertTrue(
        (full + ".").matches(java.util.regex.Pattern.quote(named) + "[.\\[].*"),
        path + ": " + refused);
  }

  private static List<String> supported() throws IOException {
    try (InputStream list = EveryFieldTest.class.getResourceAsStream("supported-fields.txt")) {
      return new String(Objects.requireNonNull(list).readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .sorted()
          .toList();
    }
  }

  private static void collect(Class<?> type, String prefix, List<Leaf> leaves) {
    for (Field field : type.getDeclaredFields()) {
      JsonProperty property = field.getAnnotation(JsonProperty.class);
      if (property != null) {
        collect(field.getGenericType(), prefix + property.value(), leaves);
      }
    }
  }

  private static void collect(Type type, String path, List<Leaf> leaves) {
    if (type instanceof ParameterizedType generic) {
      List<Type> parameters = List.of(generic.getActualTypeArguments());
      boolean list = parameters.size() == 1;
      collect(parameters.getLast(), path + (list ? "[]" : "{}"), leaves);
    } else if (type == String.class) {
      leaves.add(new Leaf(path, TEXTS));
    } else if (type == Boolean.class) {
      leaves.add(new Leaf(path, List.of(true)));
    } else if (type == Integer.class || type == Long.class || type == IntOrString.class) {
      leaves.add(new Leaf(path, List.of(1)));
    } else if (type == Quantity.class) {
      leaves.add(new Leaf(path, List.of("1")));
    } else if (type instanceof Class<?> object
        && object.getName().startsWith("io.fabric8.kubernetes.api.model.")) {
      int before = leaves.size();
      collect(object, path + ".", leaves);
      if (leaves.size() == before) {
        leaves.add(new Leaf(path, List.of(Map.of("any", "x")))); // of no fixed form
      }
    } else {
      throw new AssertionError(path + " is of a kind that this test does not know: " + type);
    }
  }

  /** One that has this field, and only what every pod has besides. */
  private Pod pod(String path, Object value) {
    Map<String, Object> spec = new LinkedHashMap<>();
    put(spec, "containers[].name", "main");
    put(spec, path, value);
    return serialization.unmarshal(
        serialization.asJson(
            Map.of(
                "apiVersion", "v1", "kind", "Pod", "metadata", Map.of("name", "p"), "spec", spec)),
        Pod.class);
  }

  @SuppressWarnings("unchecked") // of our own making
  private static void put(Map<String, Object> object, String path, Object value) {
    int dot = path.indexOf('.');
    String step = dot < 0 ? path : path.substring(0, dot);
    String name = step.replaceAll("[\\[{].*", "");
    Object content;
    if (dot < 0) {
      content = value;
    } else {
      Object there = object.get(name);
      Object inner = there instanceof List<?> list ? list.getFirst() : there;
      Map<String, Object> map =
          inner == null || step.endsWith("{}")
              ? new LinkedHashMap<>()
              : (Map<String, Object>) inner;
      put(map, path.substring(dot + 1), value);
      content = map;
    }
    object.put(
        name,
        step.endsWith("[]")
            ? List.of(content)
            : step.endsWith("{}") ? new LinkedHashMap<>(Map.of("key", content)) : content);
  }
}
