package dev.berth.provider.api.auth;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** An authenticated user of the cluster. */
public record Caller(
    String name, Optional<String> uid, List<String> groups, Map<String, List<String>> extra) {
  public Caller {
    groups = List.copyOf(groups);
    extra = Map.copyOf(extra);
  }
}
