package dev.berth.portlayer.image.registry;

import tools.jackson.databind.JsonNode;

/** What containerVMs run: linux/amd64, as containerd matches it. */
final class Platform {
  private Platform() {}

  /**
   * Whether an index's entry or a configuration runs here. A variant means a processor generation
   * that not every host offers; {@code v1} is every amd64.
   */
  static boolean runs(JsonNode platform) {
    String variant = platform.path("variant").asString("");
    return platform.path("os").asString("").equals("linux")
        && isAmd64(platform.path("architecture").asString(""))
        && (variant.isEmpty() || variant.equals("v1"));
  }

  private static boolean isAmd64(String architecture) {
    return architecture.equals("amd64")
        || architecture.equals("x86_64")
        || architecture.equals("x86-64");
  }

  static String describe(JsonNode platform) {
    String variant = platform.path("variant").asString("");
    return platform.path("os").asString("unknown")
        + "/"
        + platform.path("architecture").asString("unknown")
        + (variant.isEmpty() ? "" : "/" + variant);
  }
}
