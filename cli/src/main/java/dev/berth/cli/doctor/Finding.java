package dev.berth.cli.doctor;

/**
 * One thing that was looked at.
 *
 * @param remedy what to do about it; empty when nothing needs to be done
 */
record Finding(Verdict verdict, String subject, String detail, String remedy) {
  /** What it means for containerVMs. */
  enum Verdict {
    GOOD,
    /** They run, but not as well as they could. */
    NOTE,
    MISSING
  }

  String line() {
    String mark =
        switch (verdict) {
          case GOOD -> "ok     ";
          case NOTE -> "note   ";
          case MISSING -> "MISSING";
        };
    return "%s %-22s %s%s".formatted(mark, subject, detail, remedy.isEmpty() ? "" : ": " + remedy);
  }
}
