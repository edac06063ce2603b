package dev.berth.cli.settings;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** Files in YAML or JSON. What is said of them never holds a piece of them, which may be secret. */
final class Documents {
  private Documents() {}

  /**
   * The file's root, missing or null when there is nothing in it, otherwise an object.
   *
   * @throws IOException with a message for the user, which names the file and what to do
   */
  static JsonNode read(Path file) throws IOException {
    JsonNode root;
    try {
      root = new YAMLMapper().readTree(Files.readString(file));
    } catch (IOException e) {
      throw new IOException(file + ": " + describe(file, e), e);
    } catch (JacksonException e) {
      // Not kept as a cause: the parser quotes what it reads.
      throw new IOException(
          "%s: is neither YAML nor JSON at line %d, column %d"
              .formatted(file, e.getLocation().getLineNr(), e.getLocation().getColumnNr()));
    }
    if (!root.isMissingNode() && !root.isNull() && !root.isObject()) {
      throw new IOException(file + ": must hold lines of the form NAME: VALUE");
    }
    return root;
  }

  /** Why a file cannot be read, and what to do about it. */
  private static String describe(Path file, IOException failure) {
    return switch (failure) {
      case NoSuchFileException _ -> "there is no such file";
      case AccessDeniedException _ -> "may not be read: change its owner or its permissions";
      case CharacterCodingException _ -> "is not text in UTF-8";
      default ->
          Files.isDirectory(file)
              ? "is a directory: name a file"
              : "cannot be read: " + failure.getMessage();
    };
  }
}
