package dev.berth.portlayer.vsphere.events;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.events.EventBatch;
import dev.berth.portlayer.events.EventLog;
import dev.berth.portlayer.events.EventService;
import dev.berth.portlayer.events.PortLayerEvent;
import dev.berth.portlayer.vsphere.client.PropertyStream.Calls;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.client.VimFault;
import dev.berth.portlayer.vsphere.events.EventKind.About;
import dev.berth.portlayer.vsphere.events.EventMarks.Mark;
import dev.berth.portlayer.vsphere.vim.Collector.PropertyFilterSpec;
import dev.berth.portlayer.vsphere.vim.Events.Event;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Methods;
import dev.berth.portlayer.vsphere.vim.Service.UserSession;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The VCH's event stream: what the control plane appends to its {@link EventLog}, and what vCenter
 * writes down of the VCH's VMs, hosts and datastore. Each of vCenter's events is told once, in
 * order, also when it happened during an outage of either side; after an outage of the control
 * plane from where the one before it was. It begins to tell of them when somebody asks where the
 * stream is.
 *
 * <p>Its part in the property stream is {@link #filters} and {@link #changed}.
 */
public final class VcenterEvents implements EventService, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(VcenterEvents.class);
  private static final ManagedObjectReference SERVICE_INSTANCE =
      new ManagedObjectReference("ServiceInstance", "ServiceInstance");

  /** After a failure. */
  private static final Duration RETRY = Duration.ofSeconds(2);

  /** How long what was told to come may be late. */
  private static final Duration LOOK = Duration.ofSeconds(30);

  private static final int REMEMBERED = 10_000;

  private final VimClient client;
  private final EventLog log;
  private final Function<ManagedObjectReference, Optional<EventSubject>> subjects;
  private final String user;
  private final EventMarks marks;
  private final List<EventSource> sources;
  private final Semaphore news = new Semaphore(0);

  /** VMs that are gone have events, too. */
  private final Map<ManagedObjectReference, EventSubject> known = new Remembered();

  private @Nullable Thread reader;

  private record Found(EventSource source, Event event) {}

  private static final class Remembered
      extends LinkedHashMap<ManagedObjectReference, EventSubject> {
    private static final long serialVersionUID = 1L;

    Remembered() {
      super(64, 0.75f, true);
    }

    @Override
    protected boolean removeEldestEntry(Map.Entry<ManagedObjectReference, EventSubject> eldest) {
      return size() > REMEMBERED;
    }
  }

  /**
   * @param subjects which containerVM a VM is, while it is there
   * @param marks a file of the control plane's own, which keeps up to where events have been told
   * @throws PortLayerException UNAVAILABLE
   */
  public VcenterEvents(
      VimClient client,
      EventLog log,
      EventScope scope,
      Function<ManagedObjectReference, Optional<EventSubject>> subjects,
      Path marks) {
    this(client, log, scope, subjects, marks, userOf(client));
  }

  /**
   * @param user whose doings are the control plane's own
   */
  VcenterEvents(
      VimClient client,
      EventLog log,
      EventScope scope,
      Function<ManagedObjectReference, Optional<EventSubject>> subjects,
      Path marks,
      String user) {
    this.client = client;
    this.log = log;
    this.subjects = subjects;
    this.user = user;
    String vcenter = client.content().about().instanceUuid();
    this.marks = new EventMarks(marks, vcenter == null ? "" : vcenter);
    sources =
        List.of(
            new EventSource("vms", scope.folder(), "all", EventKind.names(About.VM, About.ANY)),
            new EventSource(
                "hosts", scope.cluster(), "all", EventKind.names(About.HOST, About.ANY)),
            new EventSource("datastore", scope.datastore(), "self", EventKind.names(About.ANY)));
    Mark now = new Mark(0, now(client));
    for (EventSource source : sources) {
      Mark told = this.marks.get(source.name()).orElse(now);
      source.mark(told);
      this.marks.put(source.name(), told);
    }
    this.marks.save();
  }

  private static String userOf(VimClient client) {
    return asked(
        () ->
            client
                .property(client.content().sessionManager(), "currentSession", UserSession.class)
                .map(UserSession::userName)
                .orElse(""));
  }

  private static Instant now(VimClient client) {
    return asked(() -> client.call(SERVICE_INSTANCE, new Methods.CurrentTime()));
  }

  private static <T> T asked(Supplier<T> question) {
    try {
      return question.get();
    } catch (VimFault fault) {
      throw fault.toPortLayer();
    }
  }

  /** What the property stream has to follow in each session. */
  public List<PropertyFilterSpec> filters(Calls session) {
    List<PropertyFilterSpec> filters = new ArrayList<>();
    for (EventSource source : sources) {
      source.open(session, client.content().eventManager()).ifPresent(filters::add);
    }
    return filters;
  }

  /** To be called after the property stream's changes have been applied to what knows the VMs. */
  public void changed(Set<ManagedObjectReference> objects) {
    for (ManagedObjectReference object : objects) {
      if (object.type().equals("VirtualMachine")) {
        subject(object);
      } else if (sources.stream().anyMatch(source -> source.has(object))) {
        news.release();
      }
    }
  }

  private Optional<EventSubject> subject(ManagedObjectReference vm) {
    Optional<EventSubject> subject = subjects.apply(vm);
    synchronized (known) {
      subject.ifPresent(found -> known.put(vm, found));
      return subject.or(() -> Optional.ofNullable(known.get(vm)));
    }
  }

  @Override
  public String now() {
    String cursor = log.now();
    begin();
    return cursor;
  }

  @Override
  public EventBatch read(String cursor, Duration timeout) {
    begin();
    return log.read(cursor, timeout);
  }

  private synchronized void begin() {
    if (reader == null) {
      news.release();
      reader = Thread.ofVirtual().name("vcenter-events").start(this::run);
    }
  }

  private void run() {
    Duration pause = LOOK;
    try {
      while (true) {
        var _ = news.tryAcquire(pause.toMillis(), TimeUnit.MILLISECONDS);
        var _ = news.drainPermits();
        pause = tellWhatIsNew() ? LOOK : RETRY;
      }
    } catch (InterruptedException closing) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean tellWhatIsNew() throws InterruptedException {
    try {
      List<Found> found = new ArrayList<>();
      for (EventSource source : sources) {
        source.read(client).forEach(event -> found.add(new Found(source, event)));
      }
      found.stream()
          .sorted(Comparator.comparing(one -> one.event().key()))
          .forEach(one -> tell(one.event(), one.source()));
      if (!found.isEmpty()) {
        marks.save();
      }
      return true;
    } catch (PortLayerException e) {
      if (e.code() == Code.INTERRUPTED) {
        throw (InterruptedException) new InterruptedException().initCause(e);
      }
      LOG.debug("Events of vCenter are told later: {}", e.getMessage());
    } catch (VimFault fault) {
      // The session ended; the property stream makes other collectors in the next one.
      LOG.debug("Events of vCenter are told later: {}", fault.getMessage());
    } catch (RuntimeException e) {
      LOG.error("Events of vCenter cannot be told", e);
    }
    sources.forEach(EventSource::tear);
    return false;
  }

  private void tell(Event event, EventSource source) {
    EventKind.of(event)
        .filter(kind -> !kind.byOthers() || isOther(event.userName()))
        .flatMap(kind -> translate(event, kind, source))
        .ifPresent(log::append);
    Mark mark = new Mark(event.key(), event.createdTime());
    source.mark(mark);
    marks.put(source.name(), mark);
  }

  private Optional<PortLayerEvent> translate(Event event, EventKind kind, EventSource source) {
    ManagedObjectReference vm = vmOf(event);
    if (vm != null) {
      boolean twice =
          !source.name().equals("vms"); // An alarm of a VM is one of its cluster's, too.
      return twice
          ? Optional.empty()
          : subject(vm).map(found -> event(event, kind, found.containerVmId(), found.groupId()));
    }
    if (kind.about() == About.VM) {
      return Optional.empty();
    }
    String subject =
        event.entity() != null
            ? event.entity().name()
            : event.host() != null ? event.host().name() : "";
    return Optional.of(event(event, kind, subject, ""));
  }

  private static @Nullable ManagedObjectReference vmOf(Event event) {
    if (event.entity() != null) {
      ManagedObjectReference entity = event.entity().entity();
      return entity.type().equals("VirtualMachine") ? entity : null;
    }
    return event.vm() == null ? null : event.vm().vm();
  }

  private static PortLayerEvent event(Event event, EventKind kind, String subject, String groupId) {
    return new PortLayerEvent(
        event.createdTime(),
        kind.type().apply(event),
        subject,
        groupId,
        kind.detail().apply(event));
  }

  /** vCenter's own accounts begin with its daemon's name. */
  private boolean isOther(@Nullable String who) {
    return who != null
        && !who.isEmpty()
        && !who.equalsIgnoreCase(user)
        && !who.substring(who.indexOf('\\') + 1).startsWith("vpx");
  }

  /** Idempotent. */
  @Override
  public synchronized void close() {
    if (reader != null) {
      reader.interrupt();
    }
  }
}
