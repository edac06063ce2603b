package dev.berth.cli.quickstart;

import java.nio.file.Path;

/**
 * By what a node proves who it is, and knows who calls it: a folder with its kubeconfig, the
 * serving certificate of its API, and the authority of that API's clients.
 */
record NodeCredentials(Path directory) {
  Path kubeconfig() {
    return directory.resolve("kubeconfig");
  }

  Path servingCertificate() {
    return directory.resolve("serving.crt");
  }

  Path servingKey() {
    return directory.resolve("serving.key");
  }

  Path clientAuthority() {
    return directory.resolve("ca.crt");
  }
}
