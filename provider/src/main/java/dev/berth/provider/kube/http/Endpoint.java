package dev.berth.provider.kube.http;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.util.Optional;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import jdk.net.ExtendedSocketOptions;

/**
 * Where a server is and how it is talked to.
 *
 * @param host a name or an address; an IPv6 address without brackets
 * @param authority what the Host header says
 */
public record Endpoint(String host, int port, String authority, Optional<Tls> tls) {
  private static final int CONNECT_MILLIS = 10_000;

  /**
   * How to encrypt.
   *
   * @param context asked for each connection; connections made with another than the present one
   *     are not used again
   * @param name whom the server's certificate must be for
   * @param verified whether it must be
   */
  public record Tls(Supplier<SSLContext> context, String name, boolean verified) {}

  /**
   * Of a URL.
   *
   * @param tls given the URL's host
   * @throws IllegalArgumentException when it is neither http nor https
   */
  public static Endpoint of(URI server, java.util.function.Function<String, Tls> tls) {
    String scheme = String.valueOf(server.getScheme());
    boolean encrypted = scheme.equalsIgnoreCase("https");
    if (server.getHost() == null || !(encrypted || scheme.equalsIgnoreCase("http"))) {
      throw new IllegalArgumentException("%s is no URL of an API server".formatted(server));
    }
    String bracketed = server.getHost();
    String host =
        bracketed.startsWith("[") ? bracketed.substring(1, bracketed.length() - 1) : bracketed;
    int port = server.getPort() >= 0 ? server.getPort() : encrypted ? 443 : 80;
    return new Endpoint(
        host,
        port,
        server.getPort() >= 0 ? bracketed + ":" + port : bracketed,
        encrypted ? Optional.of(tls.apply(host)) : Optional.empty());
  }

  /** The first of the host's addresses that answers. */
  void connect(SocketKeeper keeper) throws IOException {
    IOException failure = new IOException("%s has no address".formatted(host));
    for (InetAddress address : InetAddress.getAllByName(host)) {
      Socket socket = new Socket();
      try {
        keeper.keep(socket);
        socket.setTcpNoDelay(true);
        keepAlive(socket);
        socket.connect(new InetSocketAddress(address, port), CONNECT_MILLIS);
        return;
      } catch (IOException unreachable) {
        socket.close();
        failure = unreachable;
      }
    }
    throw failure;
  }

  /** A server that is gone without a word is noticed within a minute, by who waits for events. */
  private static void keepAlive(Socket socket) throws IOException {
    socket.setKeepAlive(true);
    if (socket.supportedOptions().contains(ExtendedSocketOptions.TCP_KEEPIDLE)) {
      socket.setOption(ExtendedSocketOptions.TCP_KEEPIDLE, 30);
      socket.setOption(ExtendedSocketOptions.TCP_KEEPINTERVAL, 10);
      socket.setOption(ExtendedSocketOptions.TCP_KEEPCOUNT, 3);
    }
  }

  /** Is told of every socket before it is used, so that it can be closed at any time. */
  @FunctionalInterface
  interface SocketKeeper {
    void keep(Socket socket) throws IOException;
  }

  /** The encrypted connection over a plain one, with its handshake done. */
  SSLSocket encrypt(SSLContext context, Tls tls, Socket socket) throws IOException {
    SSLSocket encrypted =
        (SSLSocket) context.getSocketFactory().createSocket(socket, tls.name(), port, true);
    if (tls.verified()) {
      SSLParameters parameters = encrypted.getSSLParameters();
      parameters.setEndpointIdentificationAlgorithm("HTTPS");
      encrypted.setSSLParameters(parameters);
    }
    encrypted.startHandshake();
    return encrypted;
  }
}
