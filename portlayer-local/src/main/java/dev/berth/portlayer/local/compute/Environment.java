package dev.berth.portlayer.local.compute;

import dev.berth.portlayer.events.EventLog;
import dev.berth.portlayer.local.host.CpuGroup;
import dev.berth.portlayer.local.host.FileWatcher;
import dev.berth.portlayer.local.host.HostCommands;
import dev.berth.portlayer.local.network.LocalNetwork;
import dev.berth.portlayer.local.qemu.Accelerator;
import dev.berth.portlayer.local.qemu.BootArtifact;
import dev.berth.portlayer.tether.TetherClients;
import dev.berth.portlayer.tether.VchAuthority;
import java.nio.file.Path;

/**
 * What all machines of a VCH stand on.
 *
 * @param groups the directory of the groups' directories
 * @param sockets the directory of the control and monitor sockets
 */
public record Environment(
    String vch,
    Path groups,
    Path sockets,
    BootArtifact artifact,
    Accelerator accelerator,
    String qemuVersion,
    long tscKilohertz,
    VchAuthority authority,
    TetherClients tethers,
    LocalNetwork network,
    EventLog events,
    FileWatcher watcher,
    CpuGroup cpuGroup,
    HostCommands commands) {}
