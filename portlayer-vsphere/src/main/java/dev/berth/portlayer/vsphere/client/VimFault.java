package dev.berth.portlayer.vsphere.client;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.vsphere.vim.GenericObject;
import dev.berth.portlayer.vsphere.vim.Tasks.LocalizedMethodFault;
import java.util.Arrays;
import java.util.Objects;
import tools.jackson.databind.node.JsonNodeFactory;

/** vCenter understood a call, and refused it or failed to do it. */
public final class VimFault extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient GenericObject fault;
  private final String typeName;
  private final String reason;

  VimFault(String doing, GenericObject fault, String reason) {
    super(
        doing
            + ": "
            + fault.typeName()
            + (reason.isBlank() || reason.equals(fault.typeName()) ? "" : ": " + reason));
    this.fault = fault;
    this.typeName = fault.typeName();
    this.reason = reason.isBlank() ? typeName : reason;
  }

  /** What /folder says by a status, as everything else says it. */
  static VimFault notAuthenticated(String doing) {
    return new VimFault(
        doing,
        new GenericObject(
            JsonNodeFactory.instance.objectNode().put("_typeName", "NotAuthenticated")),
        "");
  }

  /** The answer to a call. */
  static VimFault ofAnswer(String doing, GenericObject answer) {
    return new VimFault(doing, answer, answer.text("faultstring"));
  }

  /** The failure of a task. */
  public static VimFault ofTask(String doing, LocalizedMethodFault error) {
    String message = Objects.requireNonNullElse(error.localizedMessage(), "");
    // Some faults say in general what they are, and in a property of theirs what has happened.
    String reason = error.fault().text("reason");
    return new VimFault(
        doing,
        error.fault(),
        reason.isBlank() || message.contains(reason) ? message : message + " (" + reason + ")");
  }

  /** The fault's type, as {@code InsufficientResourcesFault}. */
  public String typeName() {
    return typeName;
  }

  /** What vCenter says about it, for people. */
  public String reason() {
    return reason;
  }

  /** The fault with its properties, as it came. */
  public GenericObject fault() {
    return fault;
  }

  /** Whether it is of one of the types; their subtypes do not count. */
  public boolean is(String... types) {
    return Arrays.asList(types).contains(typeName);
  }

  /** The same as a failure of the port layer. */
  public PortLayerException toPortLayer() {
    return new PortLayerException(code(), "vCenter: " + getMessage(), this);
  }

  private Code code() {
    return switch (typeName) {
      case "ManagedObjectNotFound", "FileNotFound", "NotFound", "CannotAccessNetwork" ->
          Code.NOT_FOUND;
      case "DuplicateName", "AlreadyExists", "FileAlreadyExists" -> Code.ALREADY_EXISTS;
      case "InvalidLogin", "NotAuthenticated" -> Code.UNAUTHENTICATED;
      case "NoPermission", "RestrictedVersion" -> Code.PERMISSION_DENIED;
      case "InsufficientResourcesFault",
          "InsufficientCpuResourcesFault",
          "InsufficientMemoryResourcesFault",
          "InsufficientFailoverResourcesFault",
          "NoDiskSpace",
          "NoCompatibleHost",
          "FileTooLarge" ->
          Code.RESOURCE_EXHAUSTED;
      case "InvalidPowerState",
          "InvalidState",
          "FileLocked",
          "ConcurrentAccess",
          "TaskInProgress",
          "ResourceInUse" ->
          Code.FAILED_PRECONDITION;
      case "HostCommunication", "HostNotConnected", "HostNotReachable", "Timedout" ->
          Code.UNAVAILABLE;
      default -> Code.INTERNAL;
    };
  }
}
