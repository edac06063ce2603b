package dev.berth.portlayer.vsphere.vim;

import java.util.Objects;

/**
 * The identity of an object that lives in vCenter.
 *
 * @param type as {@code VirtualMachine}
 * @param value as {@code vm-42}; opaque
 */
public record ManagedObjectReference(String type, String value) implements DataObject {
  public ManagedObjectReference {
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(value, "value");
  }

  @Override
  public String toString() {
    return type + ":" + value;
  }
}
