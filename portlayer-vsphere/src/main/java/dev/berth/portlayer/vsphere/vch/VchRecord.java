package dev.berth.portlayer.vsphere.vch;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.vsphere.network.PortGroupNetwork;
import java.net.URI;
import java.time.Instant;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The settings of a VCH as they are kept in its folder on the datastore. There is no secret among
 * them.
 *
 * @param specification with the names by which its places are found
 * @param iso the bootstrap image's file in the VCH's folder
 * @param kernelVersion of the guests
 * @param overheadMebibytes of memory that a guest needs beside its container
 */
public record VchRecord(
    VchSpecification specification,
    String iso,
    String kernelVersion,
    int overheadMebibytes,
    Instant createdAt,
    String createdBy) {
  private static final int SCHEMA = 1;
  private static final JsonMapper JSON = JsonMapper.shared();

  private record Versioned(int schema, VchRecord vch) {}

  static VchRecord of(
      VchSpecification specification, BootstrapIso iso, Instant createdAt, String createdBy) {
    return new VchRecord(
        specification,
        iso.name(),
        iso.kernelVersion(),
        iso.overheadMebibytes(),
        createdAt,
        createdBy);
  }

  public String name() {
    return specification.name();
  }

  public List<PortGroupNetwork> networks() {
    return specification.networks();
  }

  /** Where hypervisors dial to. */
  public URI control() {
    return specification.control();
  }

  byte[] json() {
    return JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(new Versioned(SCHEMA, this));
  }

  /**
   * @param file where it is from, for the message
   * @throws PortLayerException UNSUPPORTED when it is of a newer Berth, CORRUPT
   */
  static VchRecord parse(String file, byte[] json) {
    try {
      JsonNode root = JSON.readTree(json);
      int schema = root.path("schema").asInt(0);
      if (schema > SCHEMA) {
        throw new PortLayerException(
            Code.UNSUPPORTED,
            "%s has schema %d, this Berth knows %d: use the Berth that made the VCH, or a newer one"
                .formatted(file, schema, SCHEMA));
      }
      return JSON.treeToValue(root, Versioned.class).vch();
    } catch (JacksonException e) {
      throw new PortLayerException(Code.CORRUPT, file + " is no record of a VCH", e);
    }
  }
}
