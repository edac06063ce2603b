package dev.berth.portlayer.vsphere.vch;

import dev.berth.portlayer.vsphere.network.PortGroupNetwork;
import java.net.URI;
import java.util.List;
import java.util.Objects;

/**
 * A VCH as an administrator asks for it. Whether it can be is for {@link VchAdministration#create}
 * to say.
 *
 * @param name unique in its vCenter
 * @param datacenter its name, or its inventory path, as {@code Europe/DC1}
 * @param compute a cluster or a host that is in none: its name, or its inventory path
 * @param pool the resource pool, of {@code compute}, that the VCH's own is made in, as {@code
 *     tenants/a}; empty for the root
 * @param datastore its name
 * @param networks the first is the default
 * @param control where hypervisors dial to, {@code tcp://ADDRESS:PORT}
 * @param controlNetwork the distributed port group of the interfaces that are the control plane's
 *     alone; empty for none
 */
public record VchSpecification(
    String name,
    String datacenter,
    String compute,
    String pool,
    String datastore,
    List<PortGroupNetwork> networks,
    URI control,
    String controlNetwork,
    Limits limits) {
  public VchSpecification {
    networks = List.copyOf(networks);
    // A record of an older Berth says nothing of it.
    controlNetwork = Objects.requireNonNullElse(controlNetwork, "");
  }

  /**
   * The most that all containerVMs together may use.
   *
   * @param megahertz 0 for no limit
   * @param mebibytes 0 for no limit
   */
  public record Limits(long megahertz, long mebibytes) {
    public static final Limits NONE = new Limits(0, 0);

    public Limits {
      if (megahertz < 0 || mebibytes < 0) {
        throw new IllegalArgumentException("a limit is not below 0");
      }
    }
  }

  /** The same elsewhere, or by another name of the same place. */
  VchSpecification at(String newDatacenter, String newCompute, String newPool) {
    return new VchSpecification(
        name,
        newDatacenter,
        newCompute,
        newPool,
        datastore,
        networks,
        control,
        controlNetwork,
        limits);
  }
}
