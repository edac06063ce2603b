package dev.berth.cli.vch;

import dev.berth.cli.CommandFailure;
import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.client.VimSettings;
import dev.berth.portlayer.vsphere.vch.InvalidVchException;
import dev.berth.portlayer.vsphere.vch.VchAdministration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One command's time at a vCenter. */
final class Session {
  private static final Logger LOG = LoggerFactory.getLogger(Session.class);

  /** How long a command that is told to end may take to undo what it has begun. */
  private static final long UNDOING_SECONDS = 120;

  private Session() {}

  /** Does something; on SIGINT or SIGTERM it is interrupted, and undone before the process ends. */
  static <T> T with(VimSettings settings, Function<VchAdministration, T> work) {
    Thread worker = Thread.currentThread();
    CountDownLatch over = new CountDownLatch(1);
    Thread hook = new Thread(() -> interrupt(worker, over), "interrupt");
    Runtime.getRuntime().addShutdownHook(hook);
    try (VimClient client = VimClient.connect(settings);
        VchAdministration vches = VchAdministration.open(client)) {
      return work.apply(vches);
    } catch (InvalidVchException e) {
      throw CommandFailure.of(String.valueOf(e.getMessage()));
    } catch (PortLayerException e) {
      if (e.code() == Code.INTERRUPTED) { // The process ends before anybody else can say so.
        LOG.warn("Interrupted; 'berth vch ls' shows whether anything is left");
      }
      throw e;
    } finally {
      over.countDown();
      remove(hook);
    }
  }

  private static void interrupt(Thread worker, CountDownLatch over) {
    worker.interrupt();
    try {
      if (!over.await(UNDOING_SECONDS, TimeUnit.SECONDS)) {
        LOG.warn("What was begun is not undone yet; 'berth vch delete' removes it");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void remove(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      LOG.debug("The process is ending", e);
    }
  }
}
