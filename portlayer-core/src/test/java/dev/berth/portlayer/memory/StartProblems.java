package dev.berth.portlayer.memory;

import dev.berth.portlayer.compute.ProcessSpec;
import java.util.Set;
import java.util.regex.Pattern;

/** Why a process cannot be started, in a tether's words. */
final class StartProblems {
  private static final Set<String> USERS = Set.of("", "root", "nobody");
  private static final Pattern NUMBER = Pattern.compile("\\d+");

  private StartProblems() {}

  /** Empty when there is none. */
  static String of(ProcessSpec wanted, GuestProcess process, FileTree files) {
    String user = wanted.security().user().split(":", 2)[0];
    if (!USERS.contains(user) && !NUMBER.matcher(user).matches()) {
      return "unable to find user %s: no matching entries in passwd file".formatted(user);
    }
    for (ProcessSpec.Mount mount : wanted.mounts()) {
      if (!files.has(mount.source())) {
        return "mount %s: its volume was not written".formatted(mount.destination());
      }
    }
    if (!process.knows(wanted.arguments())) {
      return "exec: \"%s\": executable file not found in $PATH"
          .formatted(wanted.arguments().getFirst());
    }
    return "";
  }
}
