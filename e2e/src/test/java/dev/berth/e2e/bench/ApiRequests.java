package dev.berth.e2e.bench;

import io.fabric8.kubernetes.client.KubernetesClient;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How many requests the API server has answered, by verb and resource, as its metrics say. A watch
 * counts when it ends.
 */
record ApiRequests(Map<String, Double> counts) {
  private static final Pattern LABEL = Pattern.compile("(resource|subresource|verb)=\"([^\"]*)\"");

  static ApiRequests now(KubernetesClient client) {
    Map<String, Double> counts = new TreeMap<>();
    client
        .raw("/metrics")
        .lines()
        .filter(line -> line.startsWith("apiserver_request_total{"))
        .forEach(
            line ->
                counts.merge(
                    name(line),
                    Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)),
                    Double::sum));
    return new ApiRequests(counts);
  }

  private static String name(String line) {
    Map<String, String> labels = new TreeMap<>();
    Matcher matcher = LABEL.matcher(line);
    while (matcher.find()) {
      labels.put(matcher.group(1), matcher.group(2));
    }
    String subresource = labels.getOrDefault("subresource", "");
    return "%s %s%s"
        .formatted(
            labels.get("verb"),
            labels.get("resource"),
            subresource.isEmpty() ? "" : "/" + subresource);
  }

  /** Those since an earlier moment. */
  ApiRequests since(ApiRequests earlier) {
    Map<String, Double> since = new TreeMap<>();
    counts.forEach(
        (name, count) -> {
          double more = count - earlier.counts().getOrDefault(name, 0.0);
          if (more > 0) {
            since.put(name, more);
          }
        });
    return new ApiRequests(since);
  }
}
