package dev.berth.portlayer.compute;

import java.util.List;
import java.util.OptionalInt;

/**
 * The whole content of one in-memory volume.
 *
 * @param user owner of the files, root when empty
 * @param group owner group of the files, root when empty
 */
public record FilesVolume(String name, List<Entry> files, OptionalInt user, OptionalInt group) {
  public FilesVolume {
    files = List.copyOf(files);
  }

  /**
   * One file. The array is the caller's to leave alone.
   *
   * @param path relative, without {@code ..}
   * @param mode permission bits
   */
  @SuppressWarnings(
      "ArrayRecordComponent") // compared by nobody; a copy of a secret would only live longer
  public record Entry(String path, byte[] content, int mode) {
    @Override
    public String toString() {
      return "Entry[path=" + path + ", " + content.length + " bytes]";
    }
  }
}
