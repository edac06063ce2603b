package dev.berth.portlayer.vsphere.vch;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.vsphere.client.ManagedObject;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.client.VimFault;
import dev.berth.portlayer.vsphere.vim.Collector.ObjectSpec;
import dev.berth.portlayer.vsphere.vim.Collector.PropertyFilterSpec;
import dev.berth.portlayer.vsphere.vim.Collector.PropertySpec;
import dev.berth.portlayer.vsphere.vim.Collector.TraversalSpec;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Methods;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** What a vCenter has, as it was at one time: names and where they are. */
final class InventoryTree {
  private static final List<PropertySpec> EVERYTHING =
      List.of(
          new PropertySpec("Folder", List.of("name", "parent")),
          new PropertySpec("Datacenter", List.of("name", "parent", "vmFolder")),
          new PropertySpec("Datastore", List.of("name", "parent", "summary", "host")),
          new PropertySpec("ComputeResource", List.of("name", "parent", "resourcePool", "host")),
          new PropertySpec("ResourcePool", List.of("name", "parent", "owner")),
          new PropertySpec("Network", List.of("name", "parent", "host")),
          new PropertySpec("HostSystem", List.of("name", "parent", "runtime.connectionState")));

  private final Map<ManagedObjectReference, ManagedObject> objects;

  private InventoryTree(Map<ManagedObjectReference, ManagedObject> objects) {
    this.objects = objects;
  }

  /** Datacenters, the folders around them, and all that a VCH can be made of. */
  static InventoryTree read(VimClient client) {
    return read(client, client.content().rootFolder(), EVERYTHING);
  }

  /** What a folder holds, and what that holds. */
  static InventoryTree read(
      VimClient client, ManagedObjectReference container, List<PropertySpec> wanted) {
    ManagedObjectReference view =
        client.call(
            client.content().viewManager(),
            new Methods.CreateContainerView(
                container, wanted.stream().map(PropertySpec::type).toList(), true));
    try {
      return new InventoryTree(
          ManagedObject.readAll(
              client,
              new PropertyFilterSpec(
                  wanted,
                  List.of(
                      new ObjectSpec(
                          view,
                          true,
                          List.of(
                              new TraversalSpec(
                                  null, "ContainerView", "view", false, List.of())))))));
    } finally {
      forget(client, view);
    }
  }

  private static void forget(VimClient client, ManagedObjectReference view) {
    try {
      client.run(view, new Methods.DestroyView());
    } catch (VimFault fault) {
      if (!fault.is("ManagedObjectNotFound")) {
        throw fault;
      }
    }
  }

  /** All objects. */
  Stream<ManagedObject> all() {
    return objects.values().stream();
  }

  /** All objects of some types. */
  Stream<ManagedObject> all(String... types) {
    List<String> wanted = List.of(types);
    return all().filter(object -> wanted.contains(object.reference().type()));
  }

  Optional<ManagedObject> find(ManagedObjectReference reference) {
    return Optional.ofNullable(objects.get(reference));
  }

  static String name(ManagedObject object) {
    return object.get("name", String.class).orElse("");
  }

  /**
   * A reference that every object of the type has.
   *
   * @throws PortLayerException PERMISSION_DENIED when the user may not read it
   */
  static ManagedObjectReference reference(ManagedObject object, String property) {
    return object
        .get(property, ManagedObjectReference.class)
        .orElseThrow(
            () ->
                new PortLayerException(
                    Code.PERMISSION_DENIED,
                    "the %s of %s may not be read: give the user the role Read-only there"
                        .formatted(property, name(object))));
  }

  /** An object's name, or that of a host whose name is not to be seen. */
  String name(ManagedObjectReference reference) {
    return find(reference).map(InventoryTree::name).orElse(reference.toString());
  }

  /** The object and what it is in, outwards. */
  Stream<ManagedObject> upwards(ManagedObject object) {
    return Stream.iterate(
            Optional.of(object),
            Optional::isPresent,
            at -> at.get().get("parent", ManagedObjectReference.class).flatMap(this::find))
        .map(Optional::get);
  }

  /** The inventory path without the root folder, as {@code DC0/host/cluster}. */
  String path(ManagedObject object) {
    return upwards(object)
        .filter(each -> each.get("parent", ManagedObjectReference.class).isPresent())
        .map(InventoryTree::name)
        .reduce((below, above) -> above + "/" + below)
        .orElse("");
  }

  /** Whether an object is somewhere in another. */
  boolean inside(ManagedObject object, ManagedObjectReference container) {
    return upwards(object).skip(1).anyMatch(each -> each.reference().equals(container));
  }

  /** What has a name directly in an object. */
  Optional<ManagedObject> child(ManagedObjectReference parent, String type, String name) {
    return all(type)
        .filter(
            each -> each.get("parent", ManagedObjectReference.class).equals(Optional.of(parent)))
        .filter(each -> name(each).equals(name))
        .findFirst();
  }
}
