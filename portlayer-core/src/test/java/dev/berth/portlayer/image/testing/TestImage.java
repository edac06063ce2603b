package dev.berth.portlayer.image.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.github.luben.zstd.Zstd;
import dev.berth.portlayer.image.content.Digest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;

/** An image as a registry holds it: manifest, configuration, layers. */
public final class TestImage {
  /** How layers are stored. */
  public enum Compression {
    NONE(""),
    GZIP("+gzip"),
    ZSTD("+zstd");
    private final String suffix;

    Compression(String suffix) {
      this.suffix = suffix;
    }
  }

  private final Map<Digest, byte[]> blobs = new LinkedHashMap<>();
  private final List<String> layers = new ArrayList<>();
  private final List<Digest> layerDigests = new ArrayList<>();
  private final List<String> diffIds = new ArrayList<>();
  private String platform = "\"os\":\"linux\",\"architecture\":\"amd64\"";
  private String process = "\"Cmd\":[\"/bin/sh\"],\"Env\":[\"A=b\"]";
  private boolean docker;

  public TestImage layer(byte[] tar, Compression compression) {
    byte[] blob = compress(tar, compression);
    return layer(blob, compression, Digest.of(tar));
  }

  /** A layer whose blob need not be what the configuration says. */
  public TestImage layer(byte[] blob, Compression compression, Digest diffId) {
    Digest digest = Digest.of(blob);
    blobs.put(digest, blob);
    layerDigests.add(digest);
    String type =
        docker
            ? "application/vnd.docker.image.rootfs.diff.tar.gzip"
            : "application/vnd.oci.image.layer.v1.tar" + compression.suffix;
    layers.add(descriptor(type, digest, blob.length));
    diffIds.add("\"" + diffId + "\"");
    return this;
  }

  public TestImage platform(String os, String architecture) {
    platform = "\"os\":\"%s\",\"architecture\":\"%s\"".formatted(os, architecture);
    return this;
  }

  /** The configuration's {@code config} object, without its braces. */
  public TestImage process(String json) {
    process = json;
    return this;
  }

  /** Docker's media types instead of OCI's; before layers are added. */
  public TestImage docker() {
    docker = true;
    return this;
  }

  public List<Digest> layers() {
    return layerDigests;
  }

  public byte[] configuration() {
    return "{%s,\"config\":{%s},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[%s]}}"
        .formatted(platform, process, String.join(",", diffIds))
        .getBytes(UTF_8);
  }

  public Digest id() {
    return Digest.of(configuration());
  }

  public String mediaType() {
    return docker
        ? "application/vnd.docker.distribution.manifest.v2+json"
        : "application/vnd.oci.image.manifest.v1+json";
  }

  public byte[] manifest() {
    String type =
        docker
            ? "application/vnd.docker.container.image.v1+json"
            : "application/vnd.oci.image.config.v1+json";
    return "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":%s,\"layers\":[%s]}"
        .formatted(
            mediaType(), descriptor(type, id(), configuration().length), String.join(",", layers))
        .getBytes(UTF_8);
  }

  public Digest digest() {
    return Digest.of(manifest());
  }

  /** Layers and configuration. */
  public Map<Digest, byte[]> blobs() {
    Map<Digest, byte[]> all = new LinkedHashMap<>(blobs);
    all.put(id(), configuration());
    return all;
  }

  public static String descriptor(String type, Digest digest, long size) {
    return "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d}".formatted(type, digest, size);
  }

  public static byte[] compress(byte[] data, Compression compression) {
    return switch (compression) {
      case NONE -> data;
      case ZSTD -> Zstd.compress(data);
      case GZIP -> gzip(data);
    };
  }

  private static byte[] gzip(byte[] data) {
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(output)) {
      gzip.write(data);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return output.toByteArray();
  }
}
