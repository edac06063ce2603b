package dev.berth.portlayer.vsphere;

import dev.berth.portlayer.image.ImageStoreConfiguration;
import dev.berth.portlayer.vsphere.client.VimSettings;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What a control plane is told of its VCH on vCenter; the rest is of record with the VCH.
 *
 * @param name the VCH's, as {@code berth vch create} made it
 * @param directory on this machine, for the VCH's authority and for disks that are being made; it
 *     must outlive the control plane, for running containerVMs trust that authority alone
 * @param control where to accept the connections of the hosts' serial ports
 * @param controlInterface of this machine, on the VCH's control network
 * @param containerVms the most containerVMs there may be
 */
public record VsphereConfiguration(
    String name,
    VimSettings vcenter,
    Path directory,
    InetSocketAddress control,
    Optional<String> controlInterface,
    int containerVms,
    ImageStoreConfiguration images) {}
