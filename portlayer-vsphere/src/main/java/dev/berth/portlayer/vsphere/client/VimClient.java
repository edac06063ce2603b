package dev.berth.portlayer.vsphere.client;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.vsphere.client.Sessions.Session;
import dev.berth.portlayer.vsphere.vim.AnyValue;
import dev.berth.portlayer.vsphere.vim.Call;
import dev.berth.portlayer.vsphere.vim.GenericObject;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Methods;
import dev.berth.portlayer.vsphere.vim.Request;
import dev.berth.portlayer.vsphere.vim.Service.ServiceContent;
import dev.berth.portlayer.vsphere.vim.VimJson;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;

/**
 * Calls to one vCenter over VI/JSON. Safe for use by many threads; calls block and honour
 * interruption.
 *
 * <p>A call fails with {@link VimFault} when vCenter refuses it, or with {@link
 * PortLayerException}: UNAVAILABLE when there is no answer, after repeating it for a while if its
 * method may be repeated or it cannot have arrived (otherwise vCenter may have done it: look before
 * calling again), UNAUTHENTICATED when vCenter is not the trusted one or refuses the login, and
 * INTERRUPTED. A session that has ended is renewed unnoticed.
 */
public final class VimClient implements AutoCloseable {
  static final String SESSION_HEADER = "vmware-api-session-id";
  private static final Logger LOG = LoggerFactory.getLogger(VimClient.class);
  private static final ManagedObjectReference SERVICE_INSTANCE =
      new ManagedObjectReference("ServiceInstance", "ServiceInstance");

  private final VimSettings settings;
  private final Transport transport;
  private final String release;
  private final ServiceContent content;
  private final Sessions sessions;

  private VimClient(VimSettings settings, Transport transport) {
    this.settings = settings;
    this.transport = transport;
    release = Releases.negotiate(transport, settings.callTimeout());
    content = serviceContent();
    sessions = new Sessions(settings, transport, release, this::login);
    sessions.current();
  }

  /**
   * Connects and logs in.
   *
   * @throws PortLayerException UNAVAILABLE, UNAUTHENTICATED, UNSUPPORTED (no common release),
   *     INVALID_ARGUMENT (certificates that cannot be read)
   */
  public static VimClient connect(VimSettings settings) {
    Transport transport = new Transport(settings);
    try {
      VimClient client = new VimClient(settings, transport);
      LOG.info(
          "Connected to {} at {}, API release {}, as {}",
          client.content.about().fullName(),
          settings.url().getAuthority(),
          client.release,
          settings.credentials().describe());
      return client;
    } catch (VimFault fault) {
      transport.close();
      throw fault.toPortLayer();
    } catch (RuntimeException e) {
      transport.close();
      throw e;
    }
  }

  /** vCenter's managers. */
  public ServiceContent content() {
    return content;
  }

  /** The API's release that is spoken. */
  public String release() {
    return release;
  }

  VimSettings settings() {
    return settings;
  }

  /** Calls a method that returns something. */
  public <R> R call(ManagedObjectReference target, Request<R> request) {
    return find(target, request)
        .orElseThrow(
            () ->
                new PortLayerException(
                    Code.INTERNAL, "vCenter returned nothing to " + name(target, request)));
  }

  /** Calls a method that may return nothing. */
  public <R> Optional<R> find(ManagedObjectReference target, Request<R> request) {
    return inSession(session -> findIn(session, target, request));
  }

  /** Calls a method that returns nothing. */
  public void run(ManagedObjectReference target, Request<Void> request) {
    inSession(session -> exchange(session, target, request));
  }

  /** One property of an object, whose type the caller knows. Empty when it is unset. */
  public <T> Optional<T> property(ManagedObjectReference target, String name, Class<T> type) {
    HttpResponse<byte[]> answer =
        inSession(
            session ->
                checked(
                    target + "." + name,
                    transport.send(
                        request(session, target, name).GET().build(),
                        BodyHandlers.ofByteArray(),
                        true,
                        settings.callTimeout())));
    return decode(target + "." + name, answer, body -> readProperty(body, type));
  }

  /** Does something in the session, once more in a new one if it has ended. */
  <T> T inSession(Function<Session, T> work) {
    Session session = sessions.current();
    try {
      return work.apply(session);
    } catch (VimFault fault) {
      if (!ended(fault)) {
        throw fault;
      }
      return work.apply(sessions.renew(session));
    }
  }

  /** Whether a fault says that the session is none. Nothing was done then. */
  static boolean ended(VimFault fault) {
    return fault.is("NotAuthenticated");
  }

  Sessions sessions() {
    return sessions;
  }

  Transport transport() {
    return transport;
  }

  /** As {@link #find}, in one session: for objects that live no longer than it. */
  <R> Optional<R> findIn(Session session, ManagedObjectReference target, Request<R> request) {
    return decode(
        name(target, request),
        exchange(session, target, request),
        body -> VimJson.readResult(body, request));
  }

  /** A call that vCenter keeps open; it is made once only. */
  <R> Optional<R> waitIn(
      Session session, ManagedObjectReference target, Request<R> request, Duration timeout) {
    String name = name(target, request);
    HttpResponse<byte[]> answer =
        transport.sendOnce(post(session, target, request), BodyHandlers.ofByteArray(), timeout);
    return decode(name, checked(name, answer), body -> VimJson.readResult(body, request));
  }

  private HttpResponse<byte[]> exchange(
      @Nullable Session session, ManagedObjectReference target, Request<?> request) {
    return checked(
        name(target, request),
        transport.send(
            post(session, target, request),
            BodyHandlers.ofByteArray(),
            annotation(request).repeatable(),
            settings.callTimeout()));
  }

  private HttpResponse<byte[]> login(Methods.Login login) {
    return exchange(null, content.sessionManager(), login);
  }

  private ServiceContent serviceContent() {
    HttpResponse<byte[]> answer =
        checked(
            "ServiceInstance.content",
            transport.send(
                request(null, SERVICE_INSTANCE, "content").GET().build(),
                BodyHandlers.ofByteArray(),
                true,
                settings.callTimeout()));
    return VimJson.read(answer.body(), ServiceContent.class);
  }

  private HttpRequest post(
      @Nullable Session session, ManagedObjectReference target, Request<?> request) {
    byte[] body = VimJson.write(request);
    return request(session, target, annotation(request).value())
        .header("Content-Type", "application/json")
        .POST(BodyPublishers.ofByteArray(body))
        .build();
  }

  private HttpRequest.Builder request(
      @Nullable Session session, ManagedObjectReference target, String member) {
    HttpRequest.Builder request = transport.request(path(release, target, member));
    return session == null ? request : request.header(SESSION_HEADER, session.id());
  }

  /** Identifiers are opaque: some hold brackets, and names of files. */
  static String path(String release, ManagedObjectReference target, String member) {
    return "/sdk/vim25/%s/%s/%s/%s"
        .formatted(release, target.type(), encode(target.value()), member);
  }

  static String encode(String segment) {
    return URLEncoder.encode(segment, StandardCharsets.UTF_8).replace("+", "%20");
  }

  private static HttpResponse<byte[]> checked(String doing, HttpResponse<byte[]> answer) {
    int status = answer.statusCode();
    if (status / 100 == 2) {
      return answer;
    }
    GenericObject fault = faultOf(answer.body());
    if (fault != null) {
      throw VimFault.ofAnswer(doing, fault);
    }
    Code code = status == 503 || status == 502 || status == 504 ? Code.UNAVAILABLE : Code.INTERNAL;
    throw new PortLayerException(
        code, "vCenter answered %s with status %d".formatted(doing, status));
  }

  private static @Nullable GenericObject faultOf(byte[] body) {
    try {
      GenericObject fault = VimJson.read(body, GenericObject.class);
      return fault == null || fault.typeName().isEmpty() ? null : fault;
    } catch (JacksonException e) {
      return null;
    }
  }

  private static <R> Optional<R> decode(
      String doing, HttpResponse<byte[]> answer, Function<byte[], R> read) {
    if (answer.body().length == 0) {
      return Optional.empty();
    }
    try {
      return Optional.of(read.apply(answer.body()));
    } catch (JacksonException e) {
      throw new PortLayerException(
          Code.INTERNAL, "vCenter's answer to %s cannot be read".formatted(doing), e);
    }
  }

  /** A scalar may be plain or boxed. */
  private static <T> T readProperty(byte[] body, Class<T> type) {
    boolean scalar = type == String.class || type == Integer.class || type == Long.class;
    return scalar || type == Boolean.class
        ? VimJson.read(body, AnyValue.class).as(type)
        : VimJson.read(body, type);
  }

  private static String name(ManagedObjectReference target, Request<?> request) {
    return describe(target) + "." + annotation(request).value();
  }

  /** The identifiers of a session's own objects have the session in them. */
  static String describe(ManagedObjectReference target) {
    return target.value().startsWith("session[") ? target.type() : target.toString();
  }

  private static Call annotation(Request<?> request) {
    return Objects.requireNonNull(
        request.getClass().getAnnotation(Call.class), () -> request.getClass() + " has no @Call");
  }

  /** Logs out and closes all connections. */
  @Override
  public void close() {
    Session session = sessions.forget();
    if (session != null) {
      try {
        transport.sendOnce(
            post(session, content.sessionManager(), new Methods.Logout()),
            BodyHandlers.discarding(),
            Duration.ofSeconds(2));
      } catch (PortLayerException e) {
        LOG.debug("The session was left to expire", e);
      }
    }
    transport.close();
  }
}
