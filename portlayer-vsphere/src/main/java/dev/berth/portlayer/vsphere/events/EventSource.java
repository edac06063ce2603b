package dev.berth.portlayer.vsphere.events;

import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.vsphere.client.PropertyStream.Calls;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.client.VimFault;
import dev.berth.portlayer.vsphere.events.EventMarks.Mark;
import dev.berth.portlayer.vsphere.vim.Collector.ObjectSpec;
import dev.berth.portlayer.vsphere.vim.Collector.PropertyFilterSpec;
import dev.berth.portlayer.vsphere.vim.Collector.PropertySpec;
import dev.berth.portlayer.vsphere.vim.Events.Event;
import dev.berth.portlayer.vsphere.vim.Events.EventFilterSpec;
import dev.berth.portlayer.vsphere.vim.Events.EventFilterSpecByEntity;
import dev.berth.portlayer.vsphere.vim.Events.EventFilterSpecByTime;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Methods;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The events of one entity, read in their order through a collector that vCenter keeps for the
 * session. Safe for use by many threads.
 */
final class EventSource {
  private static final Logger LOG = LoggerFactory.getLogger(EventSource.class);
  private static final String LATEST = "latestPage";
  private static final int PAGE = 100;

  /** Of failures that say nothing of what vCenter would answer another time. */
  private static final Set<Code> PASSING = Set.of(Code.UNAUTHENTICATED, Code.UNAVAILABLE);

  private final String name;
  private final EventFilterSpecByEntity entity;
  private final List<String> kinds;

  private @Nullable Mark mark;
  private @Nullable ManagedObjectReference collector;

  /** Whether the collector may have given events that did not arrive. */
  private boolean torn;

  /**
   * @param name for marks
   * @param recursion as {@link EventFilterSpecByEntity} takes it
   */
  EventSource(String name, ManagedObjectReference entity, String recursion, List<String> kinds) {
    this.name = name;
    this.entity = new EventFilterSpecByEntity(entity, recursion);
    this.kinds = List.copyOf(kinds);
  }

  String name() {
    return name;
  }

  /** The last event told; the next collector begins there. */
  synchronized void mark(Mark told) {
    mark = told;
  }

  synchronized boolean has(ManagedObjectReference object) {
    return object.equals(collector);
  }

  /**
   * Makes a collector in a session.
   *
   * @return what to follow, to know when there is more to read; nothing when vCenter refuses
   * @throws VimFault when it may work another time
   */
  Optional<PropertyFilterSpec> open(Calls session, ManagedObjectReference eventManager) {
    Mark from;
    ManagedObjectReference before;
    synchronized (this) {
      from = mark;
      before = collector;
      collector = null;
    }
    try {
      if (before != null) {
        destroy(session, before);
      }
      ManagedObjectReference made =
          session
              .find(
                  eventManager,
                  new Methods.CreateCollectorForEvents(
                      new EventFilterSpec(
                          entity,
                          from == null ? null : new EventFilterSpecByTime(from.time()),
                          kinds)))
              .orElseThrow();
      session.find(made, new Methods.SetCollectorPageSize(1));
      synchronized (this) {
        collector = made;
        torn = false;
      }
      return Optional.of(
          new PropertyFilterSpec(
              List.of(new PropertySpec(made.type(), List.of(LATEST))),
              List.of(ObjectSpec.of(made))));
    } catch (VimFault fault) {
      if (PASSING.contains(fault.toPortLayer().code())) {
        throw fault;
      }
      LOG.warn("vCenter does not tell of events of {}: {}", entity.entity(), fault.getMessage());
      return Optional.empty();
    }
  }

  /** A session may have so many and no more. */
  private static void destroy(Calls session, ManagedObjectReference collector) {
    try {
      session.find(collector, new Methods.DestroyCollector());
    } catch (VimFault fault) {
      if (!fault.is("ManagedObjectNotFound")) {
        throw fault;
      }
      // It went with its session.
    }
  }

  /** Events after the mark that have not been read since the collector was made, oldest first. */
  List<Event> read(VimClient client) {
    ManagedObjectReference present;
    boolean again;
    Mark from;
    synchronized (this) {
      present = collector;
      again = torn;
      from = mark;
      torn = true;
    }
    if (present == null) {
      return List.of();
    }
    if (again) {
      client.run(present, new Methods.RewindCollector());
    }
    List<Event> events = new ArrayList<>();
    List<Event> page;
    do {
      page = client.find(present, new Methods.ReadNextEvents(PAGE)).orElse(List.of());
      page.stream().filter(event -> from == null || from.isBefore(event)).forEach(events::add);
    } while (!page.isEmpty());
    whole(present);
    return events;
  }

  private synchronized void whole(ManagedObjectReference read) {
    if (read.equals(collector)) {
      torn = false;
    }
  }

  /** What was read was not told. */
  synchronized void tear() {
    torn = true;
  }
}
