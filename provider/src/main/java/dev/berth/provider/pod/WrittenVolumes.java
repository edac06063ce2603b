package dev.berth.provider.pod;

import dev.berth.portlayer.compute.FilesVolume;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Remembers by digest what volumes hold, so that nothing is written twice and no secret is kept.
 */
final class WrittenVolumes {
  private final Map<String, Map<String, byte[]>> digests = new ConcurrentHashMap<>();

  void wrote(String podUid, FilesVolume volume) {
    digests
        .computeIfAbsent(podUid, _ -> new ConcurrentHashMap<>())
        .put(volume.name(), digest(volume));
  }

  boolean differs(String podUid, FilesVolume volume) {
    byte[] known = digests.getOrDefault(podUid, Map.of()).get(volume.name());
    return known == null || !Arrays.equals(known, digest(volume));
  }

  void forget(String podUid) {
    digests.remove(podUid);
  }

  private static byte[] digest(FilesVolume volume) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (FilesVolume.Entry file : volume.files()) {
        byte[] path = file.path().getBytes(StandardCharsets.UTF_8);
        digest.update(
            ByteBuffer.allocate(12)
                .putInt(path.length)
                .putInt(file.content().length)
                .putInt(file.mode())
                .flip());
        digest.update(path);
        digest.update(file.content());
      }
      return digest.digest();
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException("every Java has SHA-256", impossible);
    }
  }
}
