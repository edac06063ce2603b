package dev.berth.portlayer.vsphere.vch;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.vsphere.client.PropertyStream;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.client.VimFault;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Methods;
import dev.berth.portlayer.vsphere.vim.Request;
import dev.berth.portlayer.vsphere.vim.VmSpecs.ResourceAllocationInfo;
import dev.berth.portlayer.vsphere.vim.VmSpecs.ResourceConfigSpec;
import dev.berth.portlayer.vsphere.vim.VmSpecs.SharesInfo;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * The pool and the folder of a VCH, made and removed so that an answer that was lost does no harm.
 * Failures are {@link PortLayerException}.
 */
final class VchParts {
  private static final Duration DEADLINE = Duration.ofMinutes(5);
  private static final int ATTEMPTS = 3;

  private final VimClient client;
  private final PropertyStream tasks;

  VchParts(VimClient client, PropertyStream tasks) {
    this.client = client;
    this.tasks = tasks;
  }

  /** The folder of a name directly in a folder, or the pool in a pool. */
  Optional<ManagedObjectReference> child(ManagedObjectReference parent, String name) {
    return any(parent, name).filter(found -> found.type().equals(parent.type()));
  }

  /** What has a name directly in a folder or in a pool, of whatever kind. */
  Optional<ManagedObjectReference> any(ManagedObjectReference parent, String name) {
    try {
      return client.find(client.content().searchIndex(), new Methods.FindChild(parent, name));
    } catch (VimFault fault) {
      throw fault.toPortLayer();
    }
  }

  /** Makes a folder of VMs. Idempotent. */
  ManagedObjectReference folder(ManagedObjectReference parent, String name) {
    return make(parent, name, new Methods.CreateFolder(name));
  }

  /** Makes a resource pool, or gives one its limits. Idempotent. */
  ManagedObjectReference pool(
      ManagedObjectReference parent, String name, VchSpecification.Limits limits) {
    ManagedObjectReference pool =
        make(parent, name, new Methods.CreateResourcePool(name, spec(limits)));
    limit(pool, limits);
    return pool;
  }

  /** Gives a pool limits. Idempotent. */
  void limit(ManagedObjectReference pool, VchSpecification.Limits limits) {
    try {
      client.run(pool, new Methods.UpdateConfig(null, spec(limits)));
    } catch (VimFault fault) {
      throw fault.toPortLayer();
    }
  }

  private static ResourceConfigSpec spec(VchSpecification.Limits limits) {
    return new ResourceConfigSpec(
        null, null, allocation(limits.megahertz()), allocation(limits.mebibytes()));
  }

  private static ResourceAllocationInfo allocation(long limit) {
    return new ResourceAllocationInfo(
        0L, true, limit == 0 ? ResourceAllocationInfo.UNLIMITED : limit, SharesInfo.normal());
  }

  private ManagedObjectReference make(
      ManagedObjectReference parent, String name, Request<ManagedObjectReference> request) {
    Optional<ManagedObjectReference> present = child(parent, name);
    if (present.isEmpty()) {
      repeat(() -> client.call(parent, request), () -> child(parent, name).isPresent());
    }
    return present
        .or(() -> child(parent, name))
        .orElseThrow(
            () -> new PortLayerException(Code.INTERNAL, name + " was made, but is not there"));
  }

  /** Removes a folder or a pool. Idempotent. */
  void remove(ManagedObjectReference parent, String name) {
    Optional<ManagedObjectReference> present = child(parent, name);
    present.ifPresent(
        object ->
            repeat(
                () -> tasks.run(object, new Methods.Destroy(), DEADLINE),
                () -> child(parent, name).isEmpty()));
  }

  /** Does something that may be done without an answer, until it is. */
  static void repeat(Runnable work, BooleanSupplier done) {
    for (int attempt = 1; ; attempt++) {
      try {
        work.run();
        return;
      } catch (VimFault fault) {
        if (!fault.is("ManagedObjectNotFound", "DuplicateName") || !done.getAsBoolean()) {
          throw fault.toPortLayer();
        }
        return;
      } catch (PortLayerException e) {
        if (e.code() != Code.UNAVAILABLE || (attempt == ATTEMPTS && !done.getAsBoolean())) {
          throw e;
        }
        if (done.getAsBoolean()) {
          return;
        }
      }
    }
  }
}
