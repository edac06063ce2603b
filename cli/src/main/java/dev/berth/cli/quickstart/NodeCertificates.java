package dev.berth.cli.quickstart;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import tools.jackson.databind.json.JsonMapper;

/**
 * A node's two certificates, signed by its cluster as a kubelet's are: one to call the API server
 * with, {@code client.crt}, and one to serve the kubelet's API with. The keys never leave the
 * folder.
 */
final class NodeCertificates {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final long POLL_MILLIS = 200;

  /** What has less left is asked for anew. */
  private static final String SOON_SECONDS = Long.toString(Duration.ofDays(30).toSeconds());

  private final Function<String[], List<String>> kubectl;
  private final NodeCredentials credentials;
  private final String node;
  private final String address;

  /**
   * @param kubectl makes the command line of a call to the cluster
   */
  NodeCertificates(
      Function<String[], List<String>> kubectl,
      NodeCredentials credentials,
      String node,
      String address) {
    this.kubectl = kubectl;
    this.credentials = credentials;
    this.node = node;
    this.address = address;
  }

  /** Gets them, unless those that are there are of the same cluster and node, and last. */
  void ensure(String server) {
    Path of = credentials.directory().resolve("issued-for");
    String wanted = String.join(" ", server, node, address);
    Path client = credentials.directory().resolve("client.crt");
    if (read(of).equals(wanted) && lasts(client) && lasts(credentials.servingCertificate())) {
      return;
    }
    issue("client", "kubernetes.io/kube-apiserver-client-kubelet", "client auth", List.of());
    issue(
        "serving",
        "kubernetes.io/kubelet-serving",
        "server auth",
        List.of("-addext", "subjectAltName=DNS:%s,IP:%s".formatted(node, address)));
    PrivateFiles.write(of, wanted);
  }

  private static String read(Path file) {
    try {
      return Files.exists(file) ? Files.readString(file) : "";
    } catch (IOException e) {
      throw new QuickstartException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  private static boolean lasts(Path certificate) {
    return Shell.succeeds(
        "openssl", "x509", "-in", certificate.toString(), "-noout", "-checkend", SOON_SECONDS);
  }

  private void issue(String use, String signer, String usage, List<String> extension) {
    Path key = credentials.directory().resolve(use + ".key");
    PrivateFiles.write(key, "");
    Shell.require(
        "openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key.toString());
    List<String> request =
        new ArrayList<>(
            List.of(
                "openssl",
                "req",
                "-new",
                "-key",
                key.toString(),
                "-subj",
                "/O=system:nodes/CN=system:node:" + node));
    request.addAll(extension);
    String pem = Shell.require(request.toArray(String[]::new)) + "\n";
    String name = "berth-%s-%s".formatted(node, use);
    call("delete", "csr", name, "--ignore-not-found");
    create(name, pem, signer, usage);
    call("certificate", "approve", name);
    PrivateFiles.write(credentials.directory().resolve(use + ".crt"), await(name, signer));
    call("delete", "csr", name, "--ignore-not-found");
  }

  private void create(String name, String pem, String signer, String usage) {
    Map<String, Object> object =
        Map.of(
            "apiVersion",
            "certificates.k8s.io/v1",
            "kind",
            "CertificateSigningRequest",
            "metadata",
            Map.of("name", name),
            "spec",
            Map.of(
                "request",
                base64(pem),
                "signerName",
                signer,
                "usages",
                List.of("digital signature", usage)));
    Shell.Result created =
        Shell.run(
            kubectl.apply(new String[] {"create", "-f", "-"}), JSON.writeValueAsString(object));
    if (created.exitCode() != 0) {
      throw new QuickstartException(
          "the cluster takes no request for the node's certificate: " + created.output());
    }
  }

  private String await(String name, String signer) {
    Instant end = Instant.now().plus(PATIENCE);
    try {
      while (Instant.now().isBefore(end)) {
        String issued = call("get", "csr", name, "-o", "jsonpath={.status.certificate}");
        if (!issued.isEmpty()) {
          return new String(Base64.getDecoder().decode(issued), StandardCharsets.UTF_8);
        }
        Thread.sleep(POLL_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new QuickstartException("interrupted while waiting for a certificate", e);
    }
    throw new QuickstartException(
        "the cluster issued no certificate within %d s: its controller manager must sign for %s"
            .formatted(PATIENCE.toSeconds(), signer));
  }

  private String call(String... words) {
    return Shell.require(kubectl.apply(words).toArray(String[]::new));
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }
}
