package dev.berth.portlayer.events;

import java.util.List;

/**
 * Events in order.
 *
 * @param cursor where the next read continues
 * @param lost whether events between the cursor asked for and these were lost; the reader must look
 *     at everything again
 */
public record EventBatch(List<PortLayerEvent> events, String cursor, boolean lost) {
  public EventBatch {
    events = List.copyOf(events);
  }
}
