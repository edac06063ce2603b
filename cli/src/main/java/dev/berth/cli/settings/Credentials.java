package dev.berth.cli.settings;

import dev.berth.provider.api.auth.PemFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.util.Optional;

/** Looks into the files with certificates and keys before anything is started with them. */
public final class Credentials {
  private final Problems problems;

  private Credentials(Problems problems) {
    this.problems = problems;
  }

  /** Adds what is wrong with the files that settings name. */
  public static void check(KubeletSettings settings, Problems problems) {
    settings.kubeconfig().ifPresent(file -> Kubeconfig.check(file, problems));
    Credentials credentials = new Credentials(problems);
    KubeletSettings.Serving serving = settings.serving();
    serving.clientAuthority().ifPresent(file -> credentials.certificate("client-authority", file));
    Optional<X509Certificate> certificate =
        credentials.certificate("tls-certificate", serving.certificate());
    Optional<PrivateKey> key =
        credentials.read("tls-key", serving.key(), () -> PemFiles.privateKey(serving.key()));
    if (certificate.isPresent() && key.isPresent() && !match(certificate.get(), key.get())) {
      problems.add(
          "tls-key",
          "%s is not the key of tls-certificate, %s: name the two that belong together"
              .formatted(serving.key(), serving.certificate()));
    }
  }

  private Optional<X509Certificate> certificate(String setting, Path file) {
    return read(setting, file, () -> PemFiles.certificates(file).getFirst());
  }

  /** Reads a file. */
  @FunctionalInterface
  private interface Reader<T> {
    T read() throws IOException, GeneralSecurityException;
  }

  private <T> Optional<T> read(String setting, Path file, Reader<T> reader) {
    try {
      return Optional.of(reader.read());
    } catch (GeneralSecurityException e) {
      problems.add(setting, file + " holds a certificate or key that is damaged: make it anew");
    } catch (IOException e) {
      problems.add(setting, String.valueOf(e.getMessage()));
    }
    return Optional.empty();
  }

  /** Whether what the one signs, the other confirms. */
  private static boolean match(X509Certificate certificate, PrivateKey key) {
    String algorithm =
        switch (key.getAlgorithm()) {
          case "RSA" -> "SHA256withRSA";
          case "EC" -> "SHA256withECDSA";
          default -> key.getAlgorithm();
        };
    try {
      Signature signature = Signature.getInstance(algorithm);
      signature.initSign(key);
      byte[] signed = signature.sign();
      signature.initVerify(certificate);
      return signature.verify(signed);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }
}
