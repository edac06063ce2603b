package dev.berth.cli.settings;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.network.Subnet;
import dev.berth.portlayer.vsphere.network.PortGroupNetwork;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A container network on a port group: {@code
 * NAME=PORTGROUP,subnet=10.9.0.0/24,gateway=…,range=FIRST-LAST,dns=…,mtu=…}.
 */
final class NetworkSetting {
  static final String FORM = "NAME=PORTGROUP,subnet=10.9.0.0/24,range=10.9.0.10-10.9.0.99";

  private static final List<String> KEYS = List.of("subnet", "gateway", "range", "dns", "mtu");

  /** The name of a port group may hold commas. */
  private static final String SEPARATOR = ",(?=(?:%s)=)".formatted(String.join("|", KEYS));

  private static final String ETHERNET_MTU = "1500";

  private NetworkSetting() {}

  /** Empty when there are problems. */
  static Optional<PortGroupNetwork> parse(String name, String text, Problems problems) {
    String[] parts = text.split(SEPARATOR, -1);
    Map<String, List<String>> values = new LinkedHashMap<>();
    for (int i = 1; i < parts.length; i++) {
      int equals = parts[i].indexOf('=');
      values
          .computeIfAbsent(parts[i].substring(0, equals), key -> new ArrayList<>())
          .add(parts[i].substring(equals + 1));
    }
    try {
      return Optional.of(network(name, parts[0], values));
    } catch (PortLayerException | IllegalArgumentException e) {
      problems.add("network", "%s: %s".formatted(name, e.getMessage()));
      return Optional.empty();
    }
  }

  private static PortGroupNetwork network(
      String name, String portGroup, Map<String, List<String>> values) {
    Subnet subnet = Subnet.parse("subnet", one(values, "subnet", ""));
    String gateway = one(values, "gateway", Subnet.text(subnet.first()));
    String range =
        one(
            values,
            "range",
            "%s-%s".formatted(Subnet.text(subnet.first()), Subnet.text(subnet.last())));
    int dash = range.indexOf('-');
    if (dash < 0) {
      throw new IllegalArgumentException(
          "range \"%s\": write FIRST-LAST, such as 10.9.0.10-10.9.0.99".formatted(range));
    }
    return new PortGroupNetwork(
        name,
        portGroup,
        subnet.toString(),
        gateway,
        range.substring(0, dash),
        range.substring(dash + 1),
        values.getOrDefault("dns", List.of()),
        mtu(one(values, "mtu", ETHERNET_MTU)));
  }

  private static int mtu(String text) {
    if (!text.matches("[0-9]{1,5}")) {
      throw new IllegalArgumentException("mtu \"%s\": must be 576 to 9000".formatted(text));
    }
    return Integer.parseInt(text);
  }

  private static String one(Map<String, List<String>> values, String key, String otherwise) {
    List<String> given = values.getOrDefault(key, List.of());
    if (given.size() > 1) {
      throw new IllegalArgumentException(
          "%s is given %d times, but takes one value".formatted(key, given.size()));
    }
    if (given.isEmpty() && otherwise.isEmpty()) {
      throw new IllegalArgumentException(key + " is missing: write " + FORM);
    }
    return given.isEmpty() ? otherwise : given.getFirst();
  }
}
