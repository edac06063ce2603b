package dev.berth.portlayer.compute;

/**
 * What stands below the VCH, for people to read.
 *
 * @param kernelVersion of the containerVMs' guest kernel
 * @param operatingSystem of the containerVMs, as in {@code Debian GNU/Linux 12 (containerVM)}
 * @param architecture in Go's spelling: {@code amd64}
 * @param runtime name and version of the hypervisor, as {@code qemu://7.2.0}
 */
public record HostInformation(
    String kernelVersion, String operatingSystem, String architecture, String runtime) {}
