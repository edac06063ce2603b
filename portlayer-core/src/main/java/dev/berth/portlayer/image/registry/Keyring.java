package dev.berth.portlayer.image.registry;

import dev.berth.portlayer.storage.RegistryCredentials;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** Finds the credentials for a repository as the kubelet's keyring does. */
final class Keyring {
  private Keyring() {}

  /**
   * The credentials whose scope matches, the longest scope first, otherwise in the order given.
   *
   * @param host host[:port]
   * @param repository path on that host
   */
  static List<RegistryCredentials> matching(
      List<RegistryCredentials> credentials, String host, String repository) {
    List<RegistryCredentials> found = new ArrayList<>();
    for (RegistryCredentials candidate : credentials) {
      if (matches(candidate.scope(), host, repository)) {
        found.add(candidate);
      }
    }
    found.sort(
        Comparator.comparingInt((RegistryCredentials c) -> normalise(c.scope()).length())
            .reversed());
    return found;
  }

  /** Whether a scope, {@code host}, {@code host/path} or {@code *.example.com}, covers a place. */
  static boolean matches(String scope, String host, String repository) {
    String normal = normalise(scope);
    int slash = normal.indexOf('/');
    String scopeHost = slash < 0 ? normal : normal.substring(0, slash);
    String scopePath = slash < 0 ? "" : normal.substring(slash + 1);
    return hostMatches(scopeHost, canonical(host.toLowerCase(Locale.ROOT)))
        && (scopePath.isEmpty()
            || repository.equals(scopePath)
            || repository.startsWith(scopePath + "/"));
  }

  /** Without scheme, {@code /v1/} or {@code /v2/} and trailing slash, docker.io by one name. */
  private static String normalise(String scope) {
    String bare = scope.replaceFirst("^https?://", "").replaceFirst("/+$", "");
    bare = bare.replaceFirst("/v[12]$", "");
    int slash = bare.indexOf('/');
    String host = slash < 0 ? bare : bare.substring(0, slash);
    return canonical(host.toLowerCase(Locale.ROOT)) + (slash < 0 ? "" : bare.substring(slash));
  }

  private static String canonical(String host) {
    return switch (host) {
      case "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com" -> "docker.io";
      default -> host;
    };
  }

  /**
   * Patterns match label by label, so {@code *.example.com} doesn't match {@code a.b.example.com}.
   */
  private static boolean hostMatches(String pattern, String host) {
    String[] wanted = pattern.split("\\.", -1);
    String[] labels = host.split("\\.", -1);
    if (wanted.length != labels.length || !port(pattern).equals(port(host))) {
      return false;
    }
    for (int i = 0; i < wanted.length; i++) {
      if (!labelMatches(wanted[i], labels[i])) {
        return false;
      }
    }
    return true;
  }

  private static String port(String host) {
    int colon = host.lastIndexOf(':');
    return colon < 0 ? "" : host.substring(colon + 1);
  }

  private static boolean labelMatches(String pattern, String label) {
    StringBuilder expression = new StringBuilder();
    for (String literal : pattern.split("\\*", -1)) {
      expression.append(expression.isEmpty() ? "" : "[^.]*");
      expression.append(java.util.regex.Pattern.quote(literal));
    }
    return label.matches(expression.toString());
  }
}
