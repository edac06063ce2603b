package dev.berth.portlayer.vsphere.vch;

/**
 * What keeps a VCH from being made, or what its administrator should know.
 *
 * @param option the setting that is to be changed, as {@code datastore}
 * @param text what is wrong with it and how to mend it
 */
public record VchProblem(String option, String text) {
  @Override
  public String toString() {
    return option + ": " + text;
  }
}
