package dev.berth.cli.settings;

import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Values by name, from flags and a file behind them. Each way to ask for one notes what is wrong
 * with it and then returns something harmless, so that all problems are found in one go.
 */
public final class Settings {
  private static final Pattern SUBNET =
      Pattern.compile("(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})/(\\d{1,2})");

  private final Map<String, List<String>> values = new LinkedHashMap<>();
  private final Problems problems;

  /**
   * @param names every setting there is
   * @param flags what the command line said; an absent name has no entry
   * @param file behind the flags
   */
  public Settings(
      List<String> names, Map<String, List<String>> flags, Optional<Path> file, Problems problems) {
    this.problems = problems;
    file.ifPresent(
        path ->
            ConfigurationFile.read(path, problems)
                .forEach(
                    (name, given) -> {
                      if (!flags.containsKey(name)) {
                        problems.from(path, name);
                      }
                      if (names.contains(name)) {
                        values.put(name, given);
                      } else {
                        problems.add(name, "there is no such setting" + Suggestion.of(name, names));
                      }
                    }));
    values.putAll(flags);
  }

  /** A text that must be there. */
  public String required(String name, String what) {
    Optional<String> text = text(name);
    if (text.isEmpty()) {
      problems.add(name, "is missing: " + what);
    }
    return text.orElse("");
  }

  /** A text that may be absent. */
  public Optional<String> text(String name) {
    List<String> given = list(name);
    if (given.size() > 1) {
      problems.add(name, "is given %d times, but takes one value".formatted(given.size()));
    }
    return given.stream().findFirst().filter(value -> !value.isEmpty());
  }

  /** All values of a setting that may be repeated. */
  public List<String> list(String name) {
    return values.getOrDefault(name, List.of());
  }

  /** An integer in a range. */
  public OptionalInt integer(String name, int lowest, int highest) {
    Optional<String> text = text(name);
    if (text.isEmpty()) {
      return OptionalInt.empty();
    }
    try {
      int value = Integer.parseInt(text.get());
      if (value >= lowest && value <= highest) {
        return OptionalInt.of(value);
      }
    } catch (NumberFormatException e) {
      // Told below, as what is out of range.
    }
    problems.add(
        name, "\"%s\" must be a whole number from %d to %d".formatted(text.get(), lowest, highest));
    return OptionalInt.empty();
  }

  /** An amount of CPUs, in thousandths. */
  public OptionalLong cpus(String name) {
    return quantity(name, true, "4 or 500m");
  }

  /** An amount of memory, in bytes. */
  public OptionalLong bytes(String name) {
    return quantity(name, false, "512Mi or 8Gi");
  }

  private OptionalLong quantity(String name, boolean millis, String example) {
    Optional<String> text = text(name);
    if (text.isEmpty()) {
      return OptionalLong.empty();
    }
    OptionalLong value = millis ? Quantity.millis(text.get()) : Quantity.units(text.get());
    if (value.isEmpty()) {
      problems.add(name, "\"%s\" is no amount: write %s".formatted(text.get(), example));
    }
    return value;
  }

  /** A file that can be read. */
  public Optional<Path> file(String name) {
    return path(name)
        .filter(
            path ->
                holds(
                    name,
                    Files.isReadable(path) && !Files.isDirectory(path),
                    path,
                    "is no file that can be read"));
  }

  /** A directory that is there. */
  public Optional<Path> directory(String name) {
    return path(name).filter(path -> holds(name, Files.isDirectory(path), path, "is no directory"));
  }

  /** What was given is not shown unless it is a name: a file's content may be a secret. */
  private Optional<Path> path(String name) {
    Optional<String> text = text(name);
    if (text.isPresent() && !text.get().matches("[^\\p{Cntrl}{}]+")) {
      problems.add(name, "must be the name of a file or a directory, not its content");
      return Optional.empty();
    }
    return text.map(Path::of);
  }

  private boolean holds(String name, boolean holds, Path path, String problem) {
    if (!holds) {
      problems.add(name, "%s %s".formatted(path, problem));
    }
    return holds;
  }

  /** An IP address, written as digits. */
  public Optional<InetAddress> address(String name) {
    return text(name).flatMap(text -> address(name, text));
  }

  /** IP addresses, written as digits. */
  public List<String> addresses(String name) {
    return list(name).stream().filter(text -> address(name, text).isPresent()).toList();
  }

  private Optional<InetAddress> address(String name, String text) {
    try {
      return Optional.of(InetAddress.ofLiteral(text));
    } catch (IllegalArgumentException e) {
      problems.add(name, "\"%s\" is no IP address: write one such as 10.99.0.2".formatted(text));
      return Optional.empty();
    }
  }

  /** Addresses with ports. */
  public List<Endpoint> endpoints(String name) {
    return list(name).stream().flatMap(text -> endpoint(name, text).stream()).toList();
  }

  /** Addresses with ports that lead to others: {@code 10.96.0.1:443=10.99.0.2:6443}. */
  public Map<Endpoint, Endpoint> endpointPairs(String name) {
    Map<Endpoint, Endpoint> pairs = new LinkedHashMap<>();
    pairs(name, "IP:PORT=IP:PORT")
        .forEach(
            (from, to) ->
                endpoint(name, from)
                    .ifPresent(
                        key -> endpoint(name, to).ifPresent(value -> pairs.put(key, value))));
    return pairs;
  }

  /** An address with a port: {@code 10.99.0.2:6443}. */
  public Optional<Endpoint> endpoint(String name) {
    return text(name).flatMap(text -> endpoint(name, text));
  }

  private Optional<Endpoint> endpoint(String name, String text) {
    Optional<Endpoint> endpoint = Endpoint.parse(text);
    if (endpoint.isEmpty()) {
      problems.add(name, "\"%s\" must have the form 10.99.0.2:6443".formatted(text));
    }
    return endpoint;
  }

  /** Values of the form {@code KEY=VALUE}, in order; a key comes once. */
  public Map<String, String> pairs(String name, String form) {
    Map<String, String> pairs = new LinkedHashMap<>();
    for (String text : list(name)) {
      int equals = text.indexOf('=');
      if (equals < 1 || equals == text.length() - 1) {
        problems.add(name, "\"%s\": write %s".formatted(text, form));
      } else if (pairs.putIfAbsent(text.substring(0, equals), text.substring(equals + 1)) != null) {
        problems.add(name, "\"%s\" is given twice".formatted(text.substring(0, equals)));
      }
    }
    return pairs;
  }

  /** Named subnets: {@code NAME=10.222.0.0/24}. */
  public Map<String, String> subnets(String name) {
    Map<String, String> subnets = pairs(name, "NAME=SUBNET such as pods=10.222.0.0/24");
    List<String> wrong = new ArrayList<>();
    subnets.forEach(
        (network, subnet) -> {
          String problem = subnetProblem(subnet);
          if (!problem.isEmpty()) {
            problems.add(name, "\"%s=%s\": %s".formatted(network, subnet, problem));
            wrong.add(network);
          }
        });
    wrong.forEach(subnets::remove);
    return subnets;
  }

  private static String subnetProblem(String subnet) {
    Matcher matcher = SUBNET.matcher(subnet);
    if (!matcher.matches()) {
      return "the subnet must have the form 10.222.0.0/24";
    }
    long address = 0;
    for (int group = 1; group <= 4; group++) {
      int octet = Integer.parseInt(matcher.group(group));
      if (octet > 255) {
        return "the subnet must have the form 10.222.0.0/24";
      }
      address = address << 8 | octet;
    }
    int prefix = Integer.parseInt(matcher.group(5));
    if (prefix < 8 || prefix > 29) {
      return "the subnet's prefix must be from /8 to /29";
    }
    return address % (1L << (32 - prefix)) == 0
        ? ""
        : "the subnet has host bits set: its first address must end in zeros";
  }
}
