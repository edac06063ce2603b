package dev.berth.portlayer.vsphere.vch;

import dev.berth.portlayer.vsphere.client.ManagedObject;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import java.util.List;
import java.util.Optional;

/**
 * What a specification means in a vCenter.
 *
 * @param specification with the names of the places written as the record has them
 * @param parent the pool that the VCH's is made in
 * @param vmFolder the datacenter's folder of VMs
 * @param hosts of {@code compute}
 * @param networks the port groups, in the specification's order
 * @param controlNetwork the port group, if one is wanted
 */
record VchPlan(
    VchSpecification specification,
    ManagedObject datacenter,
    ManagedObject compute,
    ManagedObjectReference parent,
    ManagedObjectReference vmFolder,
    ManagedObject datastore,
    List<ManagedObject> hosts,
    List<ManagedObject> networks,
    Optional<ManagedObject> controlNetwork) {}
