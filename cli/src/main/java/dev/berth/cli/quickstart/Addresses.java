package dev.berth.cli.quickstart;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * The addresses of one installation, all in one /16 that no route of the host covers.
 *
 * @param prefix the first two octets, such as {@code 10.222}
 */
record Addresses(String prefix) {
  private static final Pattern PREFIX = Pattern.compile("10\\.\\d{1,3}");
  private static final Pattern ROUTE = Pattern.compile("(?m)^(10\\.\\d{1,3})\\.");

  /** The host's end of the link into the namespace. */
  String host() {
    return prefix + ".255.1";
  }

  /** The namespace's end, where API server, registry and kubelet listen. */
  String inside() {
    return prefix + ".255.2";
  }

  String link() {
    return prefix + ".255.0/30";
  }

  String all() {
    return prefix + ".0.0/16";
  }

  String pods() {
    return prefix + ".0.0/20";
  }

  /** The pods' way to everything else: their range's first address. */
  String gateway() {
    return prefix + ".0.1";
  }

  String services() {
    return prefix + ".128.0/20";
  }

  /**
   * The cluster IP of the service {@code kubernetes}: the first of the range, as the API server
   * chooses it.
   */
  String kubernetesService() {
    return prefix + ".128.1";
  }

  /** Those that the directory's installation has had, or the first free ones. */
  static Addresses of(Path directory) {
    Path record = directory.resolve("addresses");
    return HostFiles.read(record)
        .filter(text -> PREFIX.matcher(text).matches())
        .map(Addresses::new)
        .orElseGet(() -> choose(record));
  }

  private static Addresses choose(Path record) {
    Matcher taken =
        ROUTE.matcher(
            Shell.require("ip", "-4", "route", "show", "table", "all", "type", "unicast"));
    var used = taken.results().map(match -> match.group(1)).toList();
    String prefix =
        IntStream.rangeClosed(200, 254)
            .mapToObj(octet -> "10." + octet)
            .filter(candidate -> !used.contains(candidate))
            .findFirst()
            .orElseThrow(
                () ->
                    new QuickstartException(
                        "this host has routes into every network from 10.200.0.0/16 to 10.254.0.0/16"));
    try {
      Files.writeString(record, prefix + "\n");
    } catch (IOException e) {
      throw new QuickstartException("cannot write " + record + ": " + e.getMessage(), e);
    }
    return new Addresses(prefix);
  }
}
