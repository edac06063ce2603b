package dev.berth.portlayer.vsphere.compute;

import dev.berth.portlayer.compute.ProcessState.Exited;
import dev.berth.portlayer.vsphere.vim.VmSpecs.OptionValue;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * What is kept of a containerVM's attempts beside its guest's words, of which there is only the
 * last: with the VM in extraConfig, where its guest cannot see it.
 *
 * @param ended attempts that are over, oldest first; the last ones
 * @param begun the attempt that the control plane has asked a guest for last
 */
record Attempts(List<Exited> ended, Optional<Begun> begun) {
  static final Attempts NONE = new Attempts(List.of(), Optional.empty());

  private static final String KEY = "berth.attempts";
  private static final int KEPT = 11;
  private static final JsonMapper JSON = JsonMapper.shared();

  /** An attempt of which its guest is asked, in one boot. */
  record Begun(int attempt, String bootId, Instant at) {}

  Attempts {
    ended = List.copyOf(ended);
  }

  Attempts begin(int attempt, String bootId, Instant at) {
    return new Attempts(ended, Optional.of(new Begun(attempt, bootId, at)));
  }

  /** The guest has refused the attempt that it was asked for: it never began. */
  Attempts refuse() {
    return new Attempts(ended, Optional.empty());
  }

  /** One more that is over, or another end of the last one. */
  Attempts end(Exited exited) {
    List<Exited> all = new ArrayList<>(ended);
    if (!all.isEmpty() && all.getLast().attempt() == exited.attempt()) {
      all.removeLast();
    }
    all.add(exited);
    return new Attempts(
        all.subList(Math.max(0, all.size() - KEPT), all.size()),
        begun.filter(attempt -> attempt.attempt() > exited.attempt()));
  }

  Optional<Exited> last() {
    return ended.isEmpty() ? Optional.empty() : Optional.of(ended.getLast());
  }

  OptionValue option() {
    return new OptionValue(KEY, JSON.writeValueAsString(this));
  }

  /** What is of record; none when nothing is, or nothing that can be read. */
  static Attempts parse(List<OptionValue> extraConfig) {
    try {
      return VmRecord.value(extraConfig, KEY)
          .map(text -> JSON.readValue(text, Attempts.class))
          .orElse(NONE);
    } catch (JacksonException e) {
      return NONE;
    }
  }
}
