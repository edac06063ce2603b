package dev.berth.e2e;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** The vCenter lab of an installation, as its administrator and as the one who breaks it. */
final class VcenterLab {
  static final String CLUSTER = "/DC0/host/DC0_C0";

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Installation berth;

  VcenterLab(Installation berth) {
    this.berth = berth;
  }

  Path directory() {
    return berth.directory().resolve("vsphere/lab");
  }

  private JsonNode about() {
    try {
      return JSON.readTree(Files.readString(directory().resolve("lab.json")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What an administrator types; it must succeed. Its output. */
  String govc(String... arguments) {
    return tryGovc(arguments).expect(0).output();
  }

  Command.Result tryGovc(String... arguments) {
    JsonNode about = about();
    List<String> all = new ArrayList<>(List.of(berth.command("govc")));
    all.addAll(Arrays.asList(arguments));
    return Command.of(all)
        .environment(
            Map.of(
                "HOME", directory().toString(),
                "GOVC_URL", about.get("url").asString() + "/sdk",
                "GOVC_TLS_CA_CERTS", about.get("caFile").asString(),
                "GOVC_USERNAME", about.get("user").asString(),
                "GOVC_PASSWORD", password(about),
                "GOVC_PERSIST_SESSION", "false"))
        .run();
  }

  private static String password(JsonNode about) {
    try {
      return Files.readString(Path.of(about.get("passwordFile").asString())).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Inventory paths of all things of a type as govc abbreviates it: {@code m} is a VM. */
  List<String> find(String type) {
    return govc("find", "/", "-type", type).lines().toList();
  }

  /** The inventory path of a pod's only VM. */
  String vm(String pod) {
    List<String> found =
        find("m").stream().filter(path -> path.matches(".*\\b" + pod + "\\b.*")).toList();
    if (found.size() != 1) {
      throw new AssertionError("VMs of " + pod + ": " + found);
    }
    return found.getFirst();
  }

  /** The name of the host that a VM is on. */
  String host(String vm) {
    String path = govc("ls", "-L", govc("object.collect", "-s", vm, "runtime.host").strip());
    return path.strip().replaceFirst(".*/", "");
  }

  /** Moves a VM that runs to another host. */
  void migrate(String vm) {
    String from = host(vm);
    String to =
        find("h").stream()
            .map(path -> path.replaceFirst(".*/", ""))
            .filter(host -> !host.equals(from))
            .findFirst()
            .orElseThrow();
    govc("vm.migrate", "-host", to, vm);
  }

  /** Asks the door for tests, which is open in the installation's namespace alone. */
  String door(String method, String path, String body) {
    return berth
        .inNamespace(
            "curl",
            "-sS",
            "--fail-with-body",
            "-m",
            "60",
            "-X",
            method,
            "--data-binary",
            body,
            about().get("control").asString() + path)
        .run()
        .expect(0)
        .output();
  }

  /** What each containerVM's guest has told last, as vCenter has it. */
  List<String> states() {
    List<String> all = new ArrayList<>(List.of("vm.info", "-e"));
    all.addAll(find("m"));
    return all.size() == 2
        ? List.of()
        : govc(all.toArray(String[]::new))
            .lines()
            .map(String::strip)
            .filter(line -> line.startsWith("guestinfo.berth.state:"))
            .toList();
  }

  /**
   * All that a VCH has made for its pods, by name: VMs, rules, groups of VMs and the files on the
   * datastore, but for the images and templates, which are there for the next pod.
   */
  List<String> things() {
    List<String> things = new ArrayList<>();
    find("m").forEach(vm -> things.add("VM " + vm));
    find("p").forEach(pool -> things.add("pool " + pool));
    find("f").forEach(folder -> things.add("folder " + folder));
    for (String kind : List.of("rule", "group")) {
      govc("cluster." + kind + ".ls", "-cluster", CLUSTER)
          .lines()
          .forEach(name -> things.add(kind + " " + name));
    }
    Command.of("find", directory().resolve("datastores").toString(), "-type", "f")
        .run()
        .output()
        .lines()
        .filter(file -> !file.contains("/images/") && !file.contains("/templates/"))
        .forEach(file -> things.add("file " + file));
    return things;
  }
}
