package dev.berth.portlayer.vsphere.vch;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The image that containerVMs boot, as iso-builder made it.
 *
 * @param file on this machine
 * @param name on a datastore: another content has another one, so VMs keep theirs
 */
public record BootstrapIso(Path file, String name, String kernelVersion, int overheadMebibytes) {
  private static final int SCHEMA = 1;

  private record Description(int schema, String kernelVersion, String iso, int overheadMebibytes) {}

  /**
   * Reads the boot artifact in a directory.
   *
   * @throws PortLayerException NOT_FOUND when there is none, UNSUPPORTED when it is newer than this
   *     Berth, CORRUPT
   */
  public static BootstrapIso open(Path directory) {
    Path description = directory.resolve("boot.json");
    if (!Files.isReadable(description)) {
      throw new PortLayerException(
          Code.NOT_FOUND,
          "there is no boot artifact in %s: build it with iso-builder/build".formatted(directory));
    }
    try {
      Description read =
          JsonMapper.shared().readValue(Files.readAllBytes(description), Description.class);
      if (read.schema() != SCHEMA) {
        throw new PortLayerException(
            Code.UNSUPPORTED,
            "%s has schema %d, this Berth knows %d: build the artifact again"
                .formatted(description, read.schema(), SCHEMA));
      }
      Path iso = directory.resolve(read.iso());
      return new BootstrapIso(
          iso,
          "bootstrap-%s.iso".formatted(digest(iso).substring(0, 16)),
          read.kernelVersion(),
          read.overheadMebibytes());
    } catch (IOException | JacksonException e) {
      throw new PortLayerException(
          Code.CORRUPT,
          "the boot artifact in %s cannot be read (%s): build it with iso-builder/build"
              .formatted(directory, e.getMessage()),
          e);
    }
  }

  long size() {
    return file.toFile().length();
  }

  private static String digest(Path file) throws IOException {
    try (InputStream content =
        new DigestInputStream(Files.newInputStream(file), MessageDigest.getInstance("SHA-256"))) {
      content.transferTo(OutputStream.nullOutputStream());
      return HexFormat.of().formatHex(((DigestInputStream) content).getMessageDigest().digest());
    } catch (NoSuchAlgorithmException e) {
      throw new LinkageError("every Java has SHA-256", e);
    }
  }
}
