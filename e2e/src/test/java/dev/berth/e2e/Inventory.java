package dev.berth.e2e;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import tools.jackson.databind.ObjectMapper;

/**
 * What there is, by name, of the things that Berth makes: how often each. Taken before and after,
 * the difference tells what was left behind and what went missing.
 */
record Inventory(Map<String, Long> things) {
  private static final Path CGROUPS = Path.of("/sys/fs/cgroup");

  /**
   * What containerVMs have in an installation: processes, network devices, packet filter, mounts,
   * and on the local backend files, endpoints and control groups, in vCenter what it lists.
   */
  static Inventory of(Installation berth) {
    List<String> things = new ArrayList<>();
    processes(berth.name()).forEach(things::add);
    things.addAll(lines("link", berth.inNamespace("ip", "-o", "-br", "link"), 1));
    things.addAll(lines("packet filter", berth.inNamespace("nft", "list", "ruleset"), 99));
    things.addAll(
        lines("neighbour", berth.inNamespace("ip", "neighbour", "show", "nud", "permanent"), 99));
    mounts().filter(mount -> mount.contains(berth.directory() + "/")).forEach(things::add);
    things.addAll(Backend.CHOSEN == Backend.VSPHERE ? ofLab(berth) : ofMachine(berth));
    return counted(things);
  }

  private static List<String> ofMachine(Installation berth) {
    List<String> things = new ArrayList<>();
    Path vch = berth.directory().resolve("vch");
    for (String part : List.of("vms", "disks", "images/work")) {
      things.addAll(files(vch.resolve(part)));
    }
    things.addAll(files(Path.of("/run/berth", berth.name())));
    endpoints(vch.resolve("addresses.json")).forEach(things::add);
    for (Path controller : List.of(CGROUPS, CGROUPS.resolve("cpu"))) {
      things.addAll(groups(controller.resolve("berth-" + berth.name())));
    }
    return things;
  }

  private static List<String> ofLab(Installation berth) {
    List<String> things = new ArrayList<>(berth.lab().things());
    things.addAll(files(berth.directory().resolve("vsphere/vch/images/work")));
    return things;
  }

  /** What installations have on a host beside their directories. */
  static Inventory ofHost() {
    List<String> things = new ArrayList<>();
    things.addAll(lines("namespace", Command.of("ip", "netns", "list"), 1));
    things.addAll(lines("link", Command.of("ip", "-o", "-br", "link"), 1));
    things.addAll(lines("route", Command.of("ip", "route", "show", "table", "all"), 99));
    things.addAll(lines("nft", Command.of("nft", "list", "tables"), 99));
    mounts().forEach(things::add);
    things.addAll(lines("setting", Command.of("sysctl", "-ar", "forward"), 99));
    things.addAll(files(Path.of("/run/berth")));
    for (Path controller : List.of(CGROUPS, CGROUPS.resolve("cpu"))) {
      groups(controller).stream().filter(group -> group.contains("/berth-")).forEach(things::add);
    }
    return counted(things);
  }

  /** Programs whose command line holds a text. */
  static List<String> programs(String text) {
    return ProcessHandle.allProcesses()
        .map(process -> read(Path.of("/proc", Long.toString(process.pid()), "cmdline")))
        .map(line -> line.replace('\0', ' '))
        .filter(line -> line.contains(text))
        .toList();
  }

  private static Inventory counted(List<String> things) {
    return new Inventory(
        things.stream()
            .collect(
                Collectors.groupingBy(Function.identity(), TreeMap::new, Collectors.counting())));
  }

  /** What a later one has more, with a plus, and less, with a minus. */
  List<String> differences(Inventory later) {
    List<String> differences = new ArrayList<>();
    TreeSet<String> all = new TreeSet<>(things.keySet());
    all.addAll(later.things.keySet());
    for (String thing : all) {
      long more = later.things.getOrDefault(thing, 0L) - things.getOrDefault(thing, 0L);
      if (more != 0) {
        differences.add("%+d %s".formatted(more, thing));
      }
    }
    return differences;
  }

  /** Without what other installations of the host have, which come and go as they like. */
  List<String> differences(Inventory later, String name) {
    Stream<String> namespaces =
        Stream.concat(things.keySet().stream(), later.things.keySet().stream())
            .filter(thing -> thing.startsWith("namespace "))
            .map(thing -> thing.substring("namespace ".length()))
            .filter(other -> !other.equals(name))
            .map(other -> "(?s).*(?<![\\w-])" + other + "(?![\\w-]).*");
    Stream<String> directories = Stream.of(".* file /run/berth/(?!%s(/|$)|\\.).*".formatted(name));
    List<String> others = Stream.concat(namespaces, directories).toList();
    return differences(later).stream()
        .filter(difference -> others.stream().noneMatch(difference::matches))
        .toList();
  }

  private static Stream<String> processes(String namespace) {
    return Command.of("ip", "netns", "pids", namespace)
        .run()
        .expect(0)
        .output()
        .lines()
        .map(pid -> read(Path.of("/proc", pid.strip(), "comm")).strip())
        .map(program -> "process " + program);
  }

  /** The first words of each line. */
  private static List<String> lines(String kind, Command command, int words) {
    return command
        .run()
        .expect(0)
        .output()
        .lines()
        .map(line -> List.of(line.strip().split("\\s+", -1)))
        .map(line -> kind + " " + String.join(" ", line.subList(0, Math.min(words, line.size()))))
        .toList();
  }

  private static Stream<String> mounts() {
    return read(Path.of("/proc/self/mounts"))
        .lines()
        .map(line -> "mount " + String.join(" ", List.of(line.split(" ", -1)).subList(1, 3)));
  }

  private static List<String> files(Path directory) {
    return found("file", Command.of("find", directory.toString()), directory);
  }

  private static List<String> groups(Path directory) {
    return found("group", Command.of("find", directory.toString(), "-type", "d"), directory);
  }

  /** Files may vanish during the search, which is no failure of it. */
  private static List<String> found(String kind, Command find, Path directory) {
    if (!Files.exists(directory)) {
      return List.of();
    }
    return find.run().output().lines().map(path -> kind + " " + path).toList();
  }

  private static Stream<String> endpoints(Path file) {
    return Files.exists(file)
        ? new ObjectMapper()
            .readTree(read(file))
            .path("endpoints")
            .valueStream()
            .map(endpoint -> "endpoint " + endpoint)
        : Stream.empty();
  }

  /** Empty when it is gone. */
  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (java.nio.file.NoSuchFileException e) {
      return "";
    } catch (IOException e) {
      if (file.startsWith("/proc")) {
        return ""; // The process ended while it was read.
      }
      throw new UncheckedIOException(e);
    }
  }
}
