package dev.berth.portlayer.vsphere.compute;

import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.Resources;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.TreeMap;

/** What an administrator reads in the vSphere client. */
final class Names {
  /** vCenter's limit is 80. */
  private static final int LONGEST = 80;

  private Names() {}

  /**
   * The VM's name: the group's, which the personality chose for people, and enough of the VM's
   * identity to be unique.
   */
  static String vm(VmRecord record) {
    String suffix = "-" + hash(record.group().vch() + "/" + record.vm().id());
    return cut(plain(record.group().name()), LONGEST - suffix.length()) + suffix;
  }

  /** The rule's name that keeps a group together. */
  static String rule(String vch, String groupId, String groupName) {
    String suffix = "-" + hash(vch + "/" + groupId);
    return cut("berth-" + plain(groupName), LONGEST - suffix.length()) + suffix;
  }

  static String notes(VmRecord record) {
    ContainerVmSpec vm = record.vm();
    Resources resources = vm.resources();
    StringBuilder notes = new StringBuilder();
    notes
        .append("A containerVM of the Virtual Container Host ")
        .append(record.group().vch())
        .append(", which creates and deletes it: change nothing here.\n\n");
    line(notes, "group", record.group().name() + " (" + record.group().id() + ")");
    line(notes, "containerVM", vm.id());
    line(notes, "host name", vm.hostname());
    line(notes, "image", vm.imageId());
    vm.nics().forEach(nic -> line(notes, "network", nic.network() + " " + nic.addresses()));
    line(
        notes,
        "limits",
        "%d MiB, %s"
            .formatted(
                resources.memoryLimit() >> 20,
                resources.cpuLimitMillis() == 0
                    ? resources.cpus() + " CPUs"
                    : String.format(
                        Locale.ROOT, "%.3f CPUs", resources.cpuLimitMillis() / 1000.0)));
    new TreeMap<>(record.group().labels()).forEach((key, value) -> line(notes, key, value));
    new TreeMap<>(vm.labels()).forEach((key, value) -> line(notes, key, value));
    return notes.toString();
  }

  private static void line(StringBuilder notes, String key, String value) {
    notes.append(key).append(": ").append(value.replace('\n', ' ')).append('\n');
  }

  /** Without what inventory paths give a meaning. */
  private static String plain(String name) {
    return name.replaceAll("[/\\\\%\\p{Cntrl}]+", "-").strip();
  }

  private static String cut(String text, int length) {
    return text.length() <= length ? text : text.substring(0, length);
  }

  private static String hash(String identity) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(identity.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest, 0, 5);
    } catch (NoSuchAlgorithmException e) {
      throw new LinkageError("every Java has SHA-256", e);
    }
  }
}
