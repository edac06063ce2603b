package dev.berth.portlayer.local.compute;

import dev.berth.portlayer.compute.PowerState;
import dev.berth.portlayer.compute.StateLog;
import dev.berth.portlayer.local.host.AtomicFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The state port's file, read as it grows. Used by one thread at a time. */
final class GuestState {
  private static final int BLOCK = 16 * 1024;

  private final Path file;
  private final StateLog log;
  private long offset;

  GuestState(Path file, StateLog.Losses losses) {
    this.file = file;
    this.log = new StateLog(losses);
  }

  /** Takes what was written since the last call. */
  void read() {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      ByteBuffer block = ByteBuffer.allocate(BLOCK);
      while (channel.read(block.clear(), offset) > 0) {
        offset += block.position();
        log.append(block.array(), 0, block.position());
      }
    } catch (NoSuchFileException e) {
      // Nothing was ever powered on.
    } catch (IOException e) {
      throw AtomicFiles.failure("read", file, e);
    }
  }

  /** The boot that was told of last; empty before the first. */
  String boot() {
    return log.observe(PowerState.ON).bootId();
  }

  /**
   * What the guest says, given the power and the boot it does not speak for any more.
   *
   * @param bootBefore until another boot has told something, nothing is known of the present one
   */
  StateLog.Observation observe(PowerState power, String bootBefore) {
    return log.observe(boot().equals(bootBefore) ? PowerState.OFF : power);
  }
}
