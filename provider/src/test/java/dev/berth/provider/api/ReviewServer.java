package dev.berth.provider.api;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The two reviews of an API server: knows the token {@code viewer-token}, lets its owner read
 * metrics and kube-apiserver do everything.
 */
final class ReviewServer implements AutoCloseable {
  final AtomicInteger tokenReviews = new AtomicInteger();
  final AtomicInteger accessReviews = new AtomicInteger();
  volatile boolean broken;
  private final HttpServer server;

  ReviewServer() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
    server.createContext("/apis/authentication.k8s.io/v1/tokenreviews", this::reviewToken);
    server.createContext("/apis/authorization.k8s.io/v1/subjectaccessreviews", this::reviewAccess);
    server.start();
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  private void reviewToken(HttpExchange exchange) throws IOException {
    tokenReviews.incrementAndGet();
    String request = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
    String status =
        request.contains("\"viewer-token\"")
            ? "{\"authenticated\":true,\"user\":{\"username\":\"viewer\",\"groups\":[\"viewers\"]}}"
            : "{\"authenticated\":false}";
    answer(exchange, "authentication.k8s.io/v1", "TokenReview", status);
  }

  private void reviewAccess(HttpExchange exchange) throws IOException {
    accessReviews.incrementAndGet();
    String request = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
    boolean master =
        request.contains("\"user\":\"kube-apiserver\"") && request.contains("system:masters");
    boolean viewer =
        request.contains("\"user\":\"viewer\"") && request.contains("\"subresource\":\"metrics\"");
    boolean node = request.contains("\"name\":\"node-1\"");
    answer(
        exchange,
        "authorization.k8s.io/v1",
        "SubjectAccessReview",
        "{\"allowed\":" + (node && (master || viewer)) + "}");
  }

  private void answer(HttpExchange exchange, String version, String kind, String status)
      throws IOException {
    byte[] body =
        "{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"spec\":{},\"status\":%s}"
            .formatted(version, kind, status)
            .getBytes(UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(broken ? 500 : 201, body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
