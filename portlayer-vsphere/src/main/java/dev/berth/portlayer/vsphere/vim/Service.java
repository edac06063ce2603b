package dev.berth.portlayer.vsphere.vim;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The vCenter itself: its managers, its sessions, its files. */
public final class Service {
  private Service() {}

  /** Where everything else is found from. */
  public record ServiceContent(
      AboutInfo about,
      ManagedObjectReference rootFolder,
      ManagedObjectReference propertyCollector,
      ManagedObjectReference viewManager,
      ManagedObjectReference sessionManager,
      ManagedObjectReference authorizationManager,
      ManagedObjectReference eventManager,
      ManagedObjectReference taskManager,
      ManagedObjectReference searchIndex,
      ManagedObjectReference fileManager,
      ManagedObjectReference virtualDiskManager,
      @Nullable ManagedObjectReference licenseManager)
      implements DataObject {}

  /**
   * @param instanceUuid which vCenter it is
   */
  public record AboutInfo(
      String fullName,
      String version,
      String build,
      String apiVersion,
      @Nullable String instanceUuid)
      implements DataObject {}

  public record UserSession(
      String key, String userName, @Nullable Instant loginTime, @Nullable Instant lastActiveTime)
      implements DataObject {}

  /** What a datastore has, in bytes. */
  public record DatastoreSummary(String name, Long capacity, Long freeSpace, Boolean accessible)
      implements DataObject {}

  public record HostDatastoreBrowserSearchSpec(
      @Nullable FileQueryFlags details, List<String> matchPattern) implements DataObject {
    /** Every file of the patterns, with its size and time. */
    public static HostDatastoreBrowserSearchSpec matching(List<String> patterns) {
      return new HostDatastoreBrowserSearchSpec(
          new FileQueryFlags(true, true, true, false), patterns);
    }
  }

  public record FileQueryFlags(
      Boolean fileType, Boolean fileSize, Boolean modification, Boolean fileOwner)
      implements DataObject {}

  public record HostDatastoreBrowserSearchResults(
      @Nullable ManagedObjectReference datastore, String folderPath, List<FileInfo> file)
      implements DataObject {}

  /** A file of any kind. */
  public record FileInfo(String path, @Nullable Long fileSize, @Nullable Instant modification)
      implements DataObject {}
}
