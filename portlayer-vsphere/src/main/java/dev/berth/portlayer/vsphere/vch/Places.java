package dev.berth.portlayer.vsphere.vch;

import dev.berth.portlayer.vsphere.client.ManagedObject;
import dev.berth.portlayer.vsphere.network.PortGroupNetwork;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Finds what a specification names. What it does not find is a problem. */
final class Places {
  private static final int MOST_TOLD = 10;

  private final InventoryTree tree;
  private final Findings findings;

  Places(InventoryTree tree, Findings findings) {
    this.tree = tree;
    this.findings = findings;
  }

  /** Empty when there was a problem. */
  Optional<VchPlan> resolve(VchSpecification wanted) {
    Optional<ManagedObject> datacenter =
        choose("datacenter", "datacenter", wanted.datacenter(), tree.all("Datacenter").toList());
    if (datacenter.isEmpty()) {
      return Optional.empty();
    }
    ManagedObjectReference inside = datacenter.get().reference();
    Optional<ManagedObject> compute = compute(inside, wanted.compute());
    Optional<ManagedObject> parent = compute.flatMap(found -> pool(found, wanted.pool()));
    Optional<ManagedObject> datastore =
        choose("datastore", "datastore", wanted.datastore(), in(inside, "Datastore"));
    List<ManagedObject> networks = networks(inside, wanted.networks());
    boolean apart = !wanted.controlNetwork().isEmpty();
    Optional<ManagedObject> control =
        apart
            ? choose("control-network", "port group", wanted.controlNetwork(), portGroups(inside))
            : Optional.empty();
    if (compute.isEmpty()
        || parent.isEmpty()
        || datastore.isEmpty()
        || networks.size() < wanted.networks().size()
        || (apart && control.isEmpty())) {
      return Optional.empty();
    }
    return Optional.of(
        new VchPlan(
            wanted.at(
                tree.path(datacenter.get()),
                tree.path(compute.get()),
                relative(compute.get(), parent.get())),
            datacenter.get(),
            compute.get(),
            parent.get().reference(),
            InventoryTree.reference(datacenter.get(), "vmFolder"),
            datastore.get(),
            hosts(compute.get()),
            networks,
            control));
  }

  private Optional<ManagedObject> compute(ManagedObjectReference datacenter, String wanted) {
    return choose(
        "compute",
        "cluster or host",
        wanted,
        in(datacenter, "ClusterComputeResource", "ComputeResource"));
  }

  /** The pool alone that a VCH's is in. */
  Optional<ManagedObjectReference> parent(VchSpecification specification) {
    return choose(
            "datacenter", "datacenter", specification.datacenter(), tree.all("Datacenter").toList())
        .flatMap(datacenter -> compute(datacenter.reference(), specification.compute()))
        .flatMap(compute -> pool(compute, specification.pool()))
        .map(ManagedObject::reference);
  }

  private List<ManagedObject> in(ManagedObjectReference container, String... types) {
    return tree.all(types).filter(each -> tree.inside(each, container)).toList();
  }

  List<ManagedObject> hosts(ManagedObject compute) {
    return compute.list("host", ManagedObjectReference.class).stream()
        .map(tree::find)
        .flatMap(Optional::stream)
        .toList();
  }

  private Optional<ManagedObject> pool(ManagedObject compute, String path) {
    Optional<ManagedObject> pool = tree.find(InventoryTree.reference(compute, "resourcePool"));
    for (String name : path.split("/", -1)) {
      if (!name.isEmpty()) {
        pool = pool.flatMap(above -> tree.child(above.reference(), "ResourcePool", name));
      }
    }
    if (pool.isEmpty()) {
      findings.problem(
          "pool",
          "there is no resource pool \"%s\" in %s: make it, or leave the option out to use the root"
              .formatted(path, tree.path(compute)));
    }
    return pool;
  }

  private String relative(ManagedObject compute, ManagedObject pool) {
    String root =
        tree.find(InventoryTree.reference(compute, "resourcePool")).map(tree::path).orElse("");
    return tree.path(pool).equals(root) ? "" : tree.path(pool).substring(root.length() + 1);
  }

  private List<ManagedObject> networks(
      ManagedObjectReference datacenter, List<PortGroupNetwork> wanted) {
    List<ManagedObject> groups = portGroups(datacenter);
    List<ManagedObject> found = new ArrayList<>();
    for (PortGroupNetwork network : wanted) {
      choose("network", "port group", network.portGroup(), groups).ifPresent(found::add);
    }
    return found;
  }

  private List<ManagedObject> portGroups(ManagedObjectReference datacenter) {
    return in(datacenter, "Network", "DistributedVirtualPortgroup");
  }

  private Optional<ManagedObject> choose(
      String option, String kind, String given, List<ManagedObject> candidates) {
    String path = given.startsWith("/") ? given.substring(1) : given;
    List<ManagedObject> matching =
        candidates.stream()
            .filter(
                each ->
                    tree.path(each).equals(path) || ("/" + tree.path(each)).endsWith("/" + path))
            .toList();
    if (matching.size() == 1) {
      return Optional.of(matching.getFirst());
    }
    if (matching.isEmpty()) {
      findings.problem(
          option,
          "there is no %s \"%s\"; there %s"
              .formatted(
                  kind,
                  given,
                  candidates.isEmpty() ? "is none at all" : "are " + names(candidates)));
    } else {
      findings.problem(
          option,
          "\"%s\" is not unique: write one of %s"
              .formatted(given, String.join(", ", matching.stream().map(tree::path).toList())));
    }
    return Optional.empty();
  }

  private static String names(List<ManagedObject> candidates) {
    List<String> names = candidates.stream().map(InventoryTree::name).sorted().toList();
    Stream<String> more =
        names.size() > MOST_TOLD
            ? Stream.of("%d more".formatted(names.size() - MOST_TOLD))
            : Stream.of();
    return String.join(", ", Stream.concat(names.stream().limit(MOST_TOLD), more).toList());
  }
}
