package dev.berth.portlayer.vsphere.vch;

import java.util.List;
import java.util.stream.Collectors;

/** A VCH cannot be as it was asked for, for all of these reasons. Nothing was changed. */
public final class InvalidVchException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient List<VchProblem> problems;

  InvalidVchException(List<VchProblem> problems) {
    super(problems.stream().map(VchProblem::toString).collect(Collectors.joining("\n")));
    this.problems = List.copyOf(problems);
  }

  public List<VchProblem> problems() {
    return problems;
  }
}
