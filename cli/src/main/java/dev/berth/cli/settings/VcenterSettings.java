package dev.berth.cli.settings;

import dev.berth.portlayer.vsphere.client.Credentials.Password;
import dev.berth.portlayer.vsphere.client.Trust;
import dev.berth.portlayer.vsphere.client.VimSettings;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Which vCenter, and who logs in: the same settings for every command that speaks to one. */
public final class VcenterSettings {
  /** All of them. */
  public static final List<String> NAMES =
      List.of(
          "vcenter",
          "vcenter-ca-file",
          "vcenter-thumbprint",
          "vcenter-user",
          "vcenter-password-file");

  private static final Set<PosixFilePermission> OWNERS =
      EnumSet.of(
          PosixFilePermission.OWNER_READ,
          PosixFilePermission.OWNER_WRITE,
          PosixFilePermission.OWNER_EXECUTE);

  private VcenterSettings() {}

  /** Empty when there are problems. */
  public static Optional<VimSettings> of(Settings settings, Problems problems) {
    String url =
        settings.required("vcenter", "the vCenter's URL, such as https://vcenter.example.com");
    String user = settings.required("vcenter-user", "who logs in, such as berth@vsphere.local");
    settings.required("vcenter-password-file", "the file that holds the user's password");
    Optional<Path> password = password(settings, problems);
    Optional<Trust> trust = trust(settings, problems);
    if (url.isEmpty() || user.isEmpty() || password.isEmpty() || trust.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          new VimSettings(URI.create(url), trust.get(), new Password(user, password.get())));
    } catch (IllegalArgumentException e) {
      problems.add("vcenter", String.valueOf(e.getMessage()));
      return Optional.empty();
    }
  }

  private static Optional<Path> password(Settings settings, Problems problems) {
    Optional<Path> file = settings.file("vcenter-password-file");
    if (file.isPresent() && !isPrivate(file.get())) {
      problems.add(
          "vcenter-password-file",
          "%s can be read by others than its owner: chmod 600 it".formatted(file.get()));
      return Optional.empty();
    }
    return file;
  }

  private static boolean isPrivate(Path file) {
    try {
      return OWNERS.containsAll(Files.getPosixFilePermissions(file));
    } catch (IOException | UnsupportedOperationException e) {
      return false;
    }
  }

  private static Optional<Trust> trust(Settings settings, Problems problems) {
    Optional<String> thumbprint = settings.text("vcenter-thumbprint");
    boolean named = settings.text("vcenter-ca-file").isPresent();
    if (thumbprint.isPresent() && named) {
      problems.add("vcenter-thumbprint", "cannot be given beside vcenter-ca-file: choose one");
      return Optional.empty();
    }
    if (named) {
      return settings.file("vcenter-ca-file").map(Trust.Authority::new);
    }
    if (thumbprint.isEmpty()) {
      return Optional.of(new Trust.Machine());
    }
    try {
      return Optional.of(new Trust.Thumbprint(thumbprint.get()));
    } catch (IllegalArgumentException e) {
      problems.add("vcenter-thumbprint", String.valueOf(e.getMessage()));
      return Optional.empty();
    }
  }
}
