package dev.berth.portlayer.local.qemu;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.local.host.AtomicFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What a containerVM boots: kernel and initramfs, and how to start them.
 *
 * @param machine QEMU's machine for it
 * @param arguments of the kernel, without those that depend on the accelerator
 * @param overheadMebibytes memory that kernel and tether need beyond the container's limit
 */
public record BootArtifact(
    Path kernel,
    Path initramfs,
    String kernelVersion,
    String flavor,
    Machine machine,
    String arguments,
    int overheadMebibytes) {
  private static final int SCHEMA = 1;

  /** QEMU's machines that an artifact may ask for. */
  public enum Machine {
    /** Without the devices that cost time to look for and that a containerVM has no use for. */
    PC,
    /**
     * Its tables are needed: without them the kernel cannot read what fw_cfg holds. They come with
     * a full BIOS unless the small one is asked for.
     */
    MICROVM;

    /** QEMU's options that make it. */
    List<String> options() {
      return switch (this) {
        case PC -> List.of("-machine", "pc,hpet=off,usb=off,vmport=off,smbus=off");
        case MICROVM ->
            List.of(
                "-machine",
                "microvm,acpi=on,pit=on,pic=on,rtc=on,isa-serial=on,pcie=off,usb=off",
                "-bios",
                "qboot.rom");
      };
    }
  }

  private record Description(
      int schema,
      String flavor,
      String kernelVersion,
      String kernel,
      String initramfs,
      String machine,
      String arguments,
      int overheadMebibytes) {}

  /**
   * Reads the artifact in a directory.
   *
   * @throws PortLayerException NOT_FOUND when there is none, UNSUPPORTED when it is newer than this
   *     Berth
   */
  public static BootArtifact open(Path directory) {
    Path file = directory.resolve("boot.json");
    Description description =
        AtomicFiles.read(file, Description.class)
            .orElseThrow(
                () ->
                    new PortLayerException(
                        Code.NOT_FOUND,
                        "there is no boot artifact in %s: build it with iso-builder/build"
                            .formatted(directory)));
    if (description.schema() != SCHEMA) {
      throw new PortLayerException(
          Code.UNSUPPORTED,
          "%s has schema %d, this Berth knows %d: build the artifact again"
              .formatted(file, description.schema(), SCHEMA));
    }
    return new BootArtifact(
        present(directory, description.kernel()),
        present(directory, description.initramfs()),
        description.kernelVersion(),
        description.flavor(),
        machine(file, description.machine()),
        description.arguments(),
        description.overheadMebibytes());
  }

  private static Path present(Path directory, String name) {
    Path file = directory.resolve(name).toAbsolutePath();
    if (!Files.isRegularFile(file)) {
      throw new PortLayerException(
          Code.NOT_FOUND,
          "the boot artifact lacks %s: build it with iso-builder/build".formatted(file));
    }
    return file;
  }

  private static Machine machine(Path file, String name) {
    return switch (name) {
      case "pc" -> Machine.PC;
      case "microvm" -> Machine.MICROVM;
      default ->
          throw new PortLayerException(
              Code.UNSUPPORTED,
              "%s asks for machine %s; known are pc and microvm".formatted(file, name));
    };
  }
}
