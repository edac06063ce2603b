package dev.berth.portlayer.vsphere.client;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A file or folder on a datastore, as {@code [datastore1] folder/disk.vmdk}.
 *
 * @param path relative, without a slash at either end; empty for the datastore's root
 */
public record DatastorePath(String datastore, String path) {
  private static final Pattern FORMAT = Pattern.compile("\\[([^\\]]+)\\] ?(.*)");

  public DatastorePath {
    if (datastore.isEmpty() || path.startsWith("/") || path.endsWith("/")) {
      throw new IllegalArgumentException("no datastore path: [%s] %s".formatted(datastore, path));
    }
  }

  /**
   * Reads what {@link #toString} writes.
   *
   * @throws IllegalArgumentException when it is none
   */
  public static DatastorePath parse(String text) {
    Matcher matcher = FORMAT.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException("no datastore path: " + text);
    }
    return new DatastorePath(matcher.group(1), matcher.group(2));
  }

  /** What has a name in this folder. */
  public DatastorePath resolve(String name) {
    return new DatastorePath(datastore, path.isEmpty() ? name : path + "/" + name);
  }

  /** What has a name in the folder that this is in. */
  public DatastorePath sibling(String name) {
    int slash = path.lastIndexOf('/');
    return new DatastorePath(datastore, path.substring(0, slash + 1) + name);
  }

  /** The last part. */
  public String name() {
    return path.substring(path.lastIndexOf('/') + 1);
  }

  @Override
  public String toString() {
    return "[%s]%s%s".formatted(datastore, path.isEmpty() ? "" : " ", path);
  }
}
