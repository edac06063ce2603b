package dev.berth.provider.api.stream;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The versions of Kubernetes' protocols over SPDY, and how one of them is chosen. */
public final class StreamProtocols {
  public static final String HEADER = "X-Stream-Protocol-Version";
  public static final String ACCEPTED_HEADER = "X-Accepted-Stream-Protocol-Versions";

  /** Of exec and attach, the newest first. */
  public static final List<String> COMMAND =
      List.of("v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io");

  public static final List<String> PORT_FORWARD = List.of("portforward.k8s.io");

  /** SPDY for port forwarding within a WebSocket. */
  public static final String TUNNEL = "SPDY/3.1+portforward.k8s.io";

  private StreamProtocols() {}

  /** The values of a header that holds a list. */
  public static List<String> split(String header) {
    return Arrays.stream(header.split(",")).map(String::strip).toList();
  }

  /** The client's order decides; empty when none of its protocols is known. */
  public static Optional<String> choose(List<String> offered, List<String> known) {
    return offered.stream().filter(known::contains).findFirst();
  }

  /** Of one of {@link #COMMAND}. */
  public static int version(String protocol) {
    return COMMAND.size() - COMMAND.indexOf(protocol);
  }
}
