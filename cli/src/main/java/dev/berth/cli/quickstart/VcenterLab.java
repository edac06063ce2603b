package dev.berth.cli.quickstart;

import dev.berth.cli.settings.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/**
 * The vCenter lab in the installation's namespace. What it manages does not outlive its process, so
 * one that starts has nothing of an earlier one.
 *
 * @param directory of its files
 */
record VcenterLab(Site site, HostNetwork network, Addresses addresses, Path directory) {
  static final String PORT_GROUP = "DC0_DVPG0";

  /** For the control plane alone, which has an interface there of the name in its namespace. */
  static final String CONTROL_PORT_GROUP = "DC0_DVPG1";

  static final String CONTROL_INTERFACE = "control0";
  static final String PROCESS = "vcenter";

  static final String USER = "administrator@vsphere.local";

  /** Who runs containerVMs and can do nothing else. */
  static final String OPERATIONS = "berth-ops@vsphere.local";

  private static final int HOSTS = 3;
  private static final int MEGAHERTZ = 2600;

  /** What {@code berth vch} is told of it: where it is, what to trust, and who logs in. */
  List<String> administrator() {
    return options(USER, directory.resolve("password"));
  }

  /** The same for {@code berth kubelet}. */
  List<String> operations() {
    return options(OPERATIONS, operationsPassword());
  }

  private List<String> options(String user, Path password) {
    return List.of(
        "--vcenter",
        "https://" + addresses.inside(),
        "--vcenter-ca-file",
        directory.resolve("trust/ca.crt").toString(),
        "--vcenter-user",
        user,
        "--vcenter-password-file",
        password.toString());
  }

  private Path operationsPassword() {
    return directory.resolve("operations.password");
  }

  /** Makes the operations user, who may do nothing yet. Idempotent. */
  void addOperationsUser() {
    try {
      if (!Files.exists(operationsPassword())) {
        byte[] random = new byte[16];
        new SecureRandom().nextBytes(random);
        PrivateFiles.write(operationsPassword(), HexFormat.of().formatHex(random));
      }
      JsonMapper json = JsonMapper.shared();
      String door =
          json.readTree(directory.resolve("lab.json").toFile()).path("control").asString();
      String user =
          json.writeValueAsString(
              Map.of("name", OPERATIONS, "password", Files.readString(operationsPassword())));
      network.run(
          List.of("curl", "-sS", "--fail-with-body", "-m", "60", "-d", "@-", door + "/users"),
          user);
    } catch (IOException e) {
      throw new QuickstartException("cannot read " + operationsPassword(), e);
    }
  }

  /** Where in it a VCH is made, and how much of this machine that may use. */
  List<String> places() {
    return List.of(
        "--datacenter",
        "DC0",
        "--compute",
        "DC0_C0",
        "--datastore",
        "LocalDS_0",
        "--cpu-limit",
        Integer.toString(cores() * MEGAHERTZ),
        "--memory-limit",
        memoryMebibytes() + "Mi");
  }

  /**
   * Starts it unless it runs.
   *
   * @param clear removes what counts on an earlier one, before this one starts
   */
  void up(Runnable clear) {
    SupervisedProcess process = site.process(PROCESS);
    List<String> command = network.inside(command());
    if (process.runs(command)) {
      return;
    }
    clear.run();
    process.stop();
    site.say("starting the vCenter lab");
    process.start(command, Duration.ofMinutes(1), () -> process.logged("ready"));
  }

  private List<String> command() {
    return List.of(
        site.program("vsphere-lab"),
        "--directory",
        directory.toString(),
        "--listen",
        addresses.inside() + ":443",
        "--user",
        USER,
        "--boot",
        "--address",
        PORT_GROUP + "=" + addresses.gateway() + addresses.pods().replaceFirst(".*/", "/"),
        "--interface",
        CONTROL_PORT_GROUP + "=" + CONTROL_INTERFACE,
        "--hosts",
        Integer.toString(HOSTS),
        "--host-cores",
        Integer.toString(cores()),
        "--host-mhz",
        Integer.toString(MEGAHERTZ),
        "--host-memory",
        Long.toString(memoryMebibytes()));
  }

  /** Of one host, and of all VMs together: any host can carry them when the others fail. */
  static int cores() {
    return Runtime.getRuntime().availableProcessors();
  }

  /** As {@link #cores}. */
  static long memoryMebibytes() {
    return Machine.memoryForVms() >> 20;
  }
}
