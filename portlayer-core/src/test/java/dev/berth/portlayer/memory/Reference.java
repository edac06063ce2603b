package dev.berth.portlayer.memory;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** An image reference in its full form: {@code docker.io/library/busybox:latest}. */
record Reference(String repository, String suffix) {
  private static final Pattern FORM =
      Pattern.compile(
          "((?:[A-Za-z0-9.-]+(?::\\d+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?::([\\w][\\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?");

  static Reference parse(String text) {
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      throw new PortLayerException(
          Code.INVALID_ARGUMENT,
          "image reference \"%s\" is malformed: write [REGISTRY/]NAME[:TAG] or …@sha256:DIGEST"
              .formatted(text));
    }
    String digest = matcher.group(3);
    String tag = matcher.group(2) == null ? "latest" : matcher.group(2);
    return new Reference(full(matcher.group(1)), digest == null ? ":" + tag : "@" + digest);
  }

  private static String full(String name) {
    int slash = name.indexOf('/');
    String first = slash < 0 ? "" : name.substring(0, slash);
    if (first.contains(".") || first.contains(":") || first.equals("localhost")) {
      return name;
    }
    return "docker.io/" + (slash < 0 ? "library/" : "") + name;
  }

  boolean byDigest() {
    return suffix.startsWith("@");
  }

  @Override
  public String toString() {
    return repository + suffix;
  }
}
