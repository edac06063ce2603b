package dev.berth.portlayer.vsphere.vim;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What an administrator has set: privileges, licences, firewalls, mounts. */
public final class Administration {
  private Administration() {}

  /** Which privileges a user has on an object. */
  public record EntityPrivilege(
      ManagedObjectReference entity, List<PrivilegeAvailability> privAvailability)
      implements DataObject {}

  public record PrivilegeAvailability(String privId, Boolean isGranted) implements DataObject {}

  /** Privileges under a name. */
  public record AuthorizationRole(Integer roleId, String name, List<String> privilege)
      implements DataObject {}

  /**
   * A role that somebody has on an object.
   *
   * @param principal {@code DOMAIN\\user}
   * @param propagate whether it holds in what the object contains too
   */
  public record Permission(String principal, Boolean group, Integer roleId, Boolean propagate)
      implements DataObject {}

  public record LicenseAssignmentManagerLicenseAssignment(
      String entityId, LicenseManagerLicenseInfo assignedLicense) implements DataObject {}

  /**
   * @param properties among them, for each feature, {@code feature} with a {@link KeyValue}
   */
  public record LicenseManagerLicenseInfo(String name, List<KeyAnyValue> properties)
      implements DataObject {}

  public record KeyAnyValue(String key, AnyValue value) implements DataObject {}

  public record KeyValue(String key, String value) implements DataObject {}

  /**
   * @param defaultVmBehavior {@code manual}, {@code partiallyAutomated} or {@code fullyAutomated}
   */
  public record ClusterDrsConfigInfo(@Nullable Boolean enabled, @Nullable String defaultVmBehavior)
      implements DataObject {}

  /** A host's firewall. */
  public record HostFirewallInfo(
      @Nullable HostFirewallDefaultPolicy defaultPolicy, List<HostFirewallRuleset> ruleset)
      implements DataObject {}

  public record HostFirewallDefaultPolicy(@Nullable Boolean outgoingBlocked)
      implements DataObject {}

  public record HostFirewallRuleset(String key, String label, Boolean enabled)
      implements DataObject {}

  /** How a host has a datastore. */
  public record DatastoreHostMount(ManagedObjectReference key, HostMountInfo mountInfo)
      implements DataObject {}

  /**
   * @param accessMode {@code readWrite} or {@code readOnly}
   */
  public record HostMountInfo(
      String accessMode, @Nullable Boolean mounted, @Nullable Boolean accessible)
      implements DataObject {}
}
