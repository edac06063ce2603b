package dev.berth.provider.lifecycle;

/** How an action ended. */
public sealed interface Outcome {
  /** It was done; the group tells the rest. */
  record Done() implements Outcome {}

  /**
   * The image is on the datastore.
   *
   * @param reference the repository digest, or the id for want of one: what the status shows as the
   *     image's id
   */
  record ImageReady(String imageId, String reference) implements Outcome {}

  /** It failed; the machine decides when to try again. */
  record Failed(Problem.Kind kind, String message) implements Outcome {}

  /** It was interrupted because something else is wanted now. */
  record Cancelled() implements Outcome {}
}
