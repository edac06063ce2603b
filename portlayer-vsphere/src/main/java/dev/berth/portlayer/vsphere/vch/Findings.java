package dev.berth.portlayer.vsphere.vch;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** What a look at a specification and at vCenter has brought up. */
final class Findings {
  private final List<VchProblem> problems = new ArrayList<>();
  private final List<VchProblem> notes = new ArrayList<>();

  /** The VCH cannot be made. */
  void problem(String option, String text) {
    problems.add(new VchProblem(option, text));
  }

  /** It can be made, but its administrator should know. */
  void note(String option, String text) {
    notes.add(new VchProblem(option, text));
  }

  List<VchProblem> notes() {
    return List.copyOf(notes);
  }

  void raise() {
    if (!problems.isEmpty()) {
      throw new InvalidVchException(problems);
    }
  }

  /** The problems, for people. */
  @Override
  public String toString() {
    return problems.stream().map(VchProblem::toString).collect(Collectors.joining("; "));
  }
}
