package dev.berth.portlayer.vsphere.compute;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.compute.GuestReport;
import dev.berth.portlayer.compute.PowerState;
import dev.berth.portlayer.compute.ProcessState.Reason;
import dev.berth.portlayer.vsphere.client.ManagedObject;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.VmSpecs.OptionValue;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the index knows of one VM: what vCenter and the guest have told, what of that is of record,
 * and what is shown. Guarded by the index.
 */
final class IndexedVm {
  static final String POWER = "runtime.powerState";
  static final String EXTRA_CONFIG = "config.extraConfig";

  /** Told by the guest; see the tether's guestinfo. */
  static final String STATE = "guestinfo.berth.state";

  private static final String CERTIFICATE = "guestinfo.berth.certificate";
  private static final Logger LOG = LoggerFactory.getLogger(IndexedVm.class);

  private final ManagedObjectReference vm;
  private final VmRecord record;
  private final GuestMemory memory;
  private Attempts kept;
  private List<OptionValue> extraConfig;
  private Member shown;

  private IndexedVm(
      ManagedObjectReference vm,
      VmRecord record,
      PowerState power,
      List<OptionValue> extraConfig,
      Instant now) {
    this.vm = vm;
    this.record = record;
    this.extraConfig = extraConfig;
    this.kept = Attempts.parse(extraConfig);
    this.memory = new GuestMemory(kept, report(), power, now);
    this.shown = latest();
  }

  /** A VM that vCenter tells of first; empty when it is no containerVM of the VCH. */
  static Optional<IndexedVm> of(String vch, ManagedObject object) {
    List<OptionValue> extraConfig = extraConfig(object);
    return VmRecord.parse(vch, extraConfig)
        .map(
            record ->
                new IndexedVm(
                    object.reference(), record, power(object), extraConfig, Instant.now()));
  }

  private static PowerState power(ManagedObject object) {
    return object.get(POWER, String.class).filter("poweredOn"::equals).isPresent()
        ? PowerState.ON
        : PowerState.OFF;
  }

  private static List<OptionValue> extraConfig(ManagedObject object) {
    return object.list(EXTRA_CONFIG, OptionValue.class);
  }

  void changed(ManagedObject object) {
    extraConfig = extraConfig(object);
    memory.see(power(object), report(), Instant.now());
  }

  void hear(GuestReport report) {
    memory.hear(report, Instant.now());
  }

  void begin(int attempt) {
    memory.begin(attempt, Instant.now());
  }

  void refuse() {
    memory.refuse();
  }

  /** What has to be made of record; empty when it is. */
  Optional<Attempts> unkept() {
    return memory.attempts().equals(kept) ? Optional.empty() : Optional.of(memory.attempts());
  }

  void kept(Attempts attempts) {
    kept = attempts;
  }

  /**
   * Whether its latest is to be shown only once it is of record: nobody else could tell it again.
   */
  boolean heldBack() {
    return unkept().isPresent()
        && memory
            .attempts()
            .last()
            .filter(last -> last.reason() == Reason.VM_LOST)
            .filter(last -> !kept.ended().contains(last))
            .isPresent();
  }

  Member shown() {
    return shown;
  }

  /** Shows the latest; tells of a difference to what was shown before. */
  void show(Consumer<Member> different) {
    Member before = shown;
    shown = latest();
    if (!shown.equals(before)) {
      different.accept(before);
    }
  }

  private Member latest() {
    return new Member(
        vm,
        record,
        memory.observe(record.vm()),
        VmRecord.value(extraConfig, CERTIFICATE),
        VmRecord.value(extraConfig, STATE).filter(text -> text.startsWith("{")).isPresent(),
        memory.report().map(GuestReport::message).orElse(""));
  }

  private Optional<GuestReport> report() {
    try {
      return VmRecord.value(extraConfig, STATE).flatMap(GuestReport::parse);
    } catch (PortLayerException e) {
      // A guest may say what it likes, and only about itself.
      LOG.warn("containerVM {}: {}", record.vm().id(), e.getMessage());
      return Optional.empty();
    }
  }
}
