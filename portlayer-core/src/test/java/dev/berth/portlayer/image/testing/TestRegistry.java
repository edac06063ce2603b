package dev.berth.portlayer.image.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.berth.portlayer.image.content.Digest;
import dev.berth.portlayer.image.registry.RegistryConfiguration;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A registry on loopback that serves the pulling half of the distribution API, and misbehaves by
 * order: {@link #before} hooks see every request first and may answer it.
 */
public final class TestRegistry implements AutoCloseable {
  private static final Pattern PATH = Pattern.compile("/v2/(.+)/(manifests|blobs)/([^/]+)");

  /** Looks at a request before the registry does. */
  public interface Hook {
    /** Returns whether it has answered. */
    boolean handle(HttpExchange exchange) throws IOException;
  }

  private final HttpServer server;
  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
  private final Map<String, byte[]> manifests = new ConcurrentHashMap<>();
  private final Map<String, String> mediaTypes = new ConcurrentHashMap<>();
  private final Map<String, byte[]> blobs = new ConcurrentHashMap<>();
  private final List<Hook> hooks = new CopyOnWriteArrayList<>();
  private final List<String> requests = new CopyOnWriteArrayList<>();
  private final List<String> secrets = new CopyOnWriteArrayList<>();

  public TestRegistry() {
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    server.setExecutor(executor);
    server.createContext("/", this::serve);
    server.start();
  }

  /** host:port, as in a reference. */
  public String host() {
    return "127.0.0.1:" + server.getAddress().getPort();
  }

  public URI uri() {
    return URI.create("http://" + host());
  }

  public RegistryConfiguration configuration() {
    return RegistryConfiguration.plain(host());
  }

  /** Adds an image under repository:tag and by its digest; returns the reference. */
  public String push(String repository, String tag, TestImage image) {
    image.blobs().forEach((digest, blob) -> blobs.put(digest.toString(), blob));
    manifest(repository, tag, image.mediaType(), image.manifest());
    return host() + "/" + repository + ":" + tag;
  }

  /** Adds a manifest of any kind under a tag and its digest. */
  public Digest manifest(String repository, String tag, String mediaType, byte[] content) {
    Digest digest = Digest.of(content);
    manifests.put(repository + "@" + tag, content);
    manifests.put(repository + "@" + digest, content);
    mediaTypes.put(digest.toString(), mediaType);
    return digest;
  }

  /** Replaces a blob's bytes under an unchanged digest. */
  public void blob(Digest digest, byte[] content) {
    blobs.put(digest.toString(), content);
  }

  public byte[] blob(Digest digest) {
    byte[] blob = blobs.get(digest.toString());
    if (blob == null) {
      throw new IllegalArgumentException("no blob " + digest);
    }
    return blob;
  }

  public void before(Hook hook) {
    hooks.add(hook);
  }

  public void behave() {
    hooks.clear();
  }

  /** {@code METHOD path [range]} of every request so far. */
  public List<String> requests() {
    return requests;
  }

  public void forgetRequests() {
    requests.clear();
  }

  public long count(String part) {
    return requests.stream().filter(request -> request.contains(part)).count();
  }

  /** Every Authorization header seen. */
  public List<String> authorizations() {
    return secrets;
  }

  private void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      note(exchange);
      for (Hook hook : hooks) {
        if (hook.handle(exchange)) {
          return;
        }
      }
      answer(exchange);
    }
  }

  private void note(HttpExchange exchange) {
    String range = exchange.getRequestHeaders().getFirst("Range");
    String authorization = exchange.getRequestHeaders().getFirst("Authorization");
    requests.add(
        exchange.getRequestMethod()
            + " "
            + exchange.getRequestURI()
            + (range == null ? "" : " " + range));
    if (authorization != null) {
      secrets.add(authorization);
    }
  }

  private void answer(HttpExchange exchange) throws IOException {
    Matcher path = PATH.matcher(exchange.getRequestURI().getPath());
    if (!path.matches()) {
      error(exchange, 404, "UNSUPPORTED");
    } else if (path.group(2).equals("manifests")) {
      byte[] manifest = manifests.get(path.group(1) + "@" + path.group(3));
      if (manifest == null) {
        error(exchange, 404, "MANIFEST_UNKNOWN");
      } else {
        String digest = Digest.of(manifest).toString();
        exchange.getResponseHeaders().set("Docker-Content-Digest", digest);
        send(exchange, 200, mediaTypes.getOrDefault(digest, ""), manifest, 0);
      }
    } else {
      byte[] blob = blobs.get(path.group(3));
      if (blob == null) {
        error(exchange, 404, "BLOB_UNKNOWN");
      } else {
        sendBlob(exchange, blob);
      }
    }
  }

  /** Answers with a blob, honouring Range. */
  public static void sendBlob(HttpExchange exchange, byte[] blob) throws IOException {
    String range = exchange.getRequestHeaders().getFirst("Range");
    if (range == null) {
      send(exchange, 200, "application/octet-stream", blob, 0);
      return;
    }
    int from = Integer.parseInt(range.replaceAll("bytes=([0-9]+)-.*", "$1"));
    if (from >= blob.length) {
      error(exchange, 416, "RANGE");
      return;
    }
    exchange
        .getResponseHeaders()
        .set("Content-Range", "bytes %d-%d/%d".formatted(from, blob.length - 1, blob.length));
    send(exchange, 206, "application/octet-stream", blob, from);
  }

  /** Promises the whole blob, sends some bytes, and cuts the connection. */
  public static void sendCut(HttpExchange exchange, byte[] blob, int bytes) throws IOException {
    exchange.sendResponseHeaders(200, blob.length);
    exchange.getResponseBody().write(blob, 0, bytes);
    exchange.getResponseBody().flush();
    throw new IOException("cut on purpose");
  }

  public static void error(HttpExchange exchange, int status, String code) throws IOException {
    String json =
        "{\"errors\":[{\"code\":\"%s\",\"message\":\"said the registry\"}]}".formatted(code);
    send(exchange, status, "application/json", json.getBytes(UTF_8), 0);
  }

  public static void send(HttpExchange exchange, int status, String type, byte[] body, int from)
      throws IOException {
    Headers headers = exchange.getResponseHeaders();
    headers.set("Content-Type", type);
    if (exchange.getRequestMethod().equals("HEAD")) {
      headers.set("Content-Length", Integer.toString(body.length));
      exchange.sendResponseHeaders(status, -1);
      return;
    }
    int length = body.length - from;
    exchange.sendResponseHeaders(status, length == 0 ? -1 : length);
    exchange.getResponseBody().write(body, from, length);
  }

  @Override
  public void close() {
    server.stop(0);
    executor.shutdownNow();
  }
}
