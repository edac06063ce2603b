package dev.berth.portlayer.vsphere.client;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.vsphere.client.Sessions.Session;
import dev.berth.portlayer.vsphere.vim.Collector.ObjectSpec;
import dev.berth.portlayer.vsphere.vim.Collector.PropertyFilterSpec;
import dev.berth.portlayer.vsphere.vim.Collector.PropertySpec;
import dev.berth.portlayer.vsphere.vim.Collector.TraversalSpec;
import dev.berth.portlayer.vsphere.vim.Collector.UpdateSet;
import dev.berth.portlayer.vsphere.vim.Collector.WaitOptions;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Methods;
import dev.berth.portlayer.vsphere.vim.Request;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A collector with its filters, in one session: it ends with the session. */
final class Subscription implements TaskWaits.View {
  private static final Logger LOG = LoggerFactory.getLogger(Subscription.class);

  /** How long a request may take longer than the time that it asks vCenter to wait. */
  private static final Duration MARGIN = Duration.ofSeconds(10);

  private static final int MOST_OBJECTS = 500;

  private final VimClient client;
  private final Session session;
  private final ManagedObjectReference collector;
  private final ManagedObjectReference tasks;

  Subscription(
      VimClient client,
      Session session,
      List<PropertyFilterSpec> filters,
      PropertyStream.SessionFilters sessionFilters) {
    this.client = client;
    this.session = session;
    collector = call(client.content().propertyCollector(), new Methods.CreatePropertyCollector());
    tasks = call(client.content().viewManager(), new Methods.CreateListView(List.of()));
    call(collector, new Methods.CreateFilter(tasksIn(tasks), false));
    filters.forEach(filter -> call(collector, new Methods.CreateFilter(filter, false)));
    sessionFilters
        .in(this::find)
        .forEach(filter -> call(collector, new Methods.CreateFilter(filter, false)));
  }

  private static PropertyFilterSpec tasksIn(ManagedObjectReference view) {
    return new PropertyFilterSpec(
        List.of(new PropertySpec("Task", List.of("info"))),
        List.of(
            new ObjectSpec(
                view,
                true,
                List.of(new TraversalSpec(null, "ListView", "view", false, List.of())))));
  }

  private <R> Optional<R> find(ManagedObjectReference target, Request<R> request) {
    return client.findIn(session, target, request);
  }

  private <R> R call(ManagedObjectReference target, Request<R> request) {
    return find(target, request)
        .orElseThrow(() -> new IllegalStateException("vCenter returned no reference"));
  }

  /** What is new since a version, "" for all that is; nothing when there is none in time. */
  Optional<UpdateSet> await(String version, Duration wait) {
    WaitOptions options = new WaitOptions((int) wait.toSeconds(), MOST_OBJECTS);
    return client.waitIn(
        session,
        collector,
        new Methods.WaitForUpdatesEx(version, options),
        wait.plus(min(MARGIN, client.settings().callTimeout())));
  }

  private static Duration min(Duration a, Duration b) {
    return a.compareTo(b) < 0 ? a : b;
  }

  @Override
  public List<ManagedObjectReference> modify(
      List<ManagedObjectReference> add, List<ManagedObjectReference> remove) {
    return client.findIn(session, tasks, new Methods.ModifyListView(add, remove)).orElse(List.of());
  }

  /** Gives vCenter its resources back; what cannot be given back ends with the session. */
  void destroy() {
    try {
      client.findIn(session, collector, new Methods.DestroyPropertyCollector());
    } catch (VimFault | PortLayerException e) {
      LOG.debug("A property collector was left to end with its session", e);
    }
  }
}
