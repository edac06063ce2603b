package dev.berth.portlayer.local.compute;

import dev.berth.portlayer.local.host.AtomicFiles;
import dev.berth.portlayer.local.network.Names;
import dev.berth.portlayer.local.qemu.QemuCommand;
import java.nio.file.Path;

/**
 * Where one containerVM's files are.
 *
 * @param directory its own
 * @param sockets the VCH's directory of sockets, whose path is short
 */
record VmFiles(String id, Path directory, Path sockets) {
  Path record() {
    return directory.resolve("vm.json");
  }

  Path console() {
    return directory.resolve("console.log");
  }

  /** In a directory of its own, so that who watches the state is not woken by every line. */
  Path log() {
    return AtomicFiles.directory(directory.resolve("log")).resolve("container.log");
  }

  /** Where in the log its oldest line is; none when that is the first one that was written. */
  Path logStart() {
    return log().resolveSibling("container.log.start");
  }

  Path state() {
    return directory.resolve("state.jsonl");
  }

  Path processId() {
    return directory.resolve("qemu.pid");
  }

  /** What QEMU itself has to say. */
  Path output() {
    return directory.resolve("qemu.log");
  }

  Path control() {
    return sockets.resolve(Names.hash(id, 8) + ".control");
  }

  Path monitor() {
    return sockets.resolve(Names.hash(id, 8) + ".monitor");
  }

  QemuCommand.Files forQemu() {
    return new QemuCommand.Files(console(), log(), state(), control(), monitor(), processId());
  }
}
