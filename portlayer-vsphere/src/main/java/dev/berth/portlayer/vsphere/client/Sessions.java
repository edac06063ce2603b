package dev.berth.portlayer.vsphere.client;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.vsphere.vim.Methods;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/** The one session that all calls of a client share. */
final class Sessions {
  /**
   * A session, which may have ended.
   *
   * @param id a secret
   */
  record Session(String id) {
    @Override
    public String toString() {
      return "Session";
    }
  }

  /** Sends one call in no session. */
  interface Caller {
    HttpResponse<byte[]> login(Methods.Login login);
  }

  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final String FIRST_WITH_TOKENS = "8.0.3.0";

  private final VimSettings settings;
  private final Transport transport;
  private final String release;
  private final Caller caller;
  private final ReentrantLock lock = new ReentrantLock();
  private volatile @Nullable Session current;

  Sessions(VimSettings settings, Transport transport, String release, Caller caller) {
    this.settings = settings;
    this.transport = transport;
    this.release = release;
    this.caller = caller;
  }

  /** The session; logs in when there is none. */
  Session current() {
    Session session = current;
    return session == null ? renew(null) : session;
  }

  /** Logs in again, unless another thread has done so since the given session ended. */
  Session renew(@Nullable Session ended) {
    lock.lock();
    try {
      Session session = current;
      if (session == null || session.equals(ended)) {
        session = login();
        current = session;
      }
      return session;
    } finally {
      lock.unlock();
    }
  }

  /** Forgets the session and returns it. */
  @Nullable Session forget() {
    lock.lock();
    try {
      Session session = current;
      current = null;
      return session;
    } finally {
      lock.unlock();
    }
  }

  private Session login() {
    try {
      return switch (settings.credentials()) {
        case Credentials.Password password -> byPassword(password);
        case Credentials.Token token -> byToken(token);
      };
    } catch (VimFault fault) {
      if (fault.is("InvalidLogin")) {
        throw refused(fault);
      }
      throw fault.toPortLayer();
    }
  }

  private Session byPassword(Credentials.Password credentials) {
    char[] secret = credentials.secret();
    try {
      HttpResponse<byte[]> answer = caller.login(new Methods.Login(credentials.user(), secret));
      return new Session(
          answer
              .headers()
              .firstValue(VimClient.SESSION_HEADER)
              .orElseThrow(
                  () ->
                      new PortLayerException(
                          Code.INTERNAL, "vCenter gave no session after the login")));
    } finally {
      Arrays.fill(secret, '\0');
    }
  }

  /** Sessions of the REST API are VI/JSON's too, since 8.0 U3. */
  private Session byToken(Credentials.Token credentials) {
    if (Releases.isOlder(release, FIRST_WITH_TOKENS)) {
      throw new PortLayerException(
          Code.UNSUPPORTED,
          "Logging in by token takes vSphere 8.0 U3; use a user and password with this vCenter");
    }
    char[] secret = credentials.secret();
    HttpRequest request =
        transport
            .request("/api/session")
            .header("Authorization", "Bearer " + new String(secret))
            .POST(HttpRequest.BodyPublishers.noBody())
            .build();
    Arrays.fill(secret, '\0');
    HttpResponse<byte[]> answer =
        transport.send(
            request, HttpResponse.BodyHandlers.ofByteArray(), true, settings.callTimeout());
    if (answer.statusCode() / 100 != 2) {
      throw refused(null);
    }
    return new Session(
        JSON.readValue(new String(answer.body(), StandardCharsets.UTF_8), String.class));
  }

  private PortLayerException refused(@Nullable VimFault fault) {
    return new PortLayerException(
        Code.UNAUTHENTICATED,
        "vCenter at %s refused %s: wrong, expired or locked"
            .formatted(settings.url().getAuthority(), settings.credentials().describe()),
        fault);
  }
}
