package dev.berth.e2e.bench;

import dev.berth.e2e.Command;
import dev.berth.portlayer.image.ImageStore;
import dev.berth.portlayer.image.ImageStoreConfiguration;
import dev.berth.portlayer.image.registry.RegistryConfiguration;
import dev.berth.portlayer.storage.ImageRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Pulling an image and building its disk, beside skopeo, which only copies it to a directory. */
final class Pull {
  private static final String IMAGE = "python-web";

  private Pull() {}

  static void measure(Vch vch, int rounds, Report report) throws IOException {
    List<Double> ours = new ArrayList<>();
    List<Double> theirs = new ArrayList<>();
    double megabytes = 0;
    for (int i = -1; i < rounds; i++) {
      Path copy = vch.folder("pulled-by-skopeo");
      long begun = System.nanoTime();
      copyWithSkopeo(vch.registry(), copy);
      double skopeo = Machine.millisSince(begun);
      megabytes = size(copy) / 1e6;
      Path store = vch.folder("pulled");
      begun = System.nanoTime();
      pull(vch.registry(), store);
      double pulled = Machine.millisSince(begun);
      if (i >= 0) {
        theirs.add(skopeo / megabytes);
        ours.add(pulled / megabytes);
      }
    }
    vch.folder("pulled");
    vch.folder("pulled-by-skopeo");
    String section = "pull, %.0f MB".formatted(megabytes);
    Figure pull = report.add(section, "pull and disk build, per compressed MB", "ms/MB", ours);
    Figure skopeo = report.add(section, "skopeo copy to a directory, the same", "ms/MB", theirs);
    report.add(
        section,
        "pull and disk build / skopeo, medians",
        "x",
        List.of(pull.median() / skopeo.median()));
  }

  private static void pull(String registry, Path folder) {
    try (ImageStore store =
        ImageStore.open(
            ImageStoreConfiguration.defaults(folder)
                .withRegistries(List.of(RegistryConfiguration.plain(registry))))) {
      var _ =
          store.pull(new ImageRequest(registry + "/" + IMAGE, List.of(), Duration.ofMinutes(2)));
    }
  }

  private static void copyWithSkopeo(String registry, Path folder) {
    Command.of(
            "skopeo",
            "--insecure-policy",
            "copy",
            "--src-tls-verify=false",
            "docker://" + registry + "/" + IMAGE,
            "dir:" + folder)
        .run()
        .expect(0);
  }

  private static long size(Path folder) throws IOException {
    try (var files = Files.list(folder)) {
      return files.mapToLong(file -> file.toFile().length()).sum();
    }
  }
}
