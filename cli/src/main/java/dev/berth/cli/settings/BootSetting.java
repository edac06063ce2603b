package dev.berth.cli.settings;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The setting {@code boot}. */
final class BootSetting {
  private BootSetting() {}

  /**
   * The directory of a boot artifact.
   *
   * @param what must be in it beside boot.json
   */
  static Optional<Path> of(Settings settings, String what, Problems problems) {
    settings.required(
        "boot", "the directory with %s and boot.json that iso-builder made".formatted(what));
    Optional<Path> boot = settings.directory("boot");
    boot.filter(directory -> !Files.isReadable(directory.resolve("boot.json")))
        .ifPresent(
            directory ->
                problems.add("boot", directory + " holds no boot.json: run iso-builder first"));
    return boot;
  }
}
