package dev.berth.portlayer.vsphere.storage;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** The descriptor of a virtual disk with one flat extent, and a disk's identity. */
public final class Vmdk {
  static final String DESCRIPTOR = "disk.vmdk";
  static final String EXTENT = "disk-flat.vmdk";
  static final int SECTOR = 512;

  private static final int HEADS = 255;
  private static final int SECTORS_PER_TRACK = 63;

  private Vmdk() {}

  /**
   * A disk's identity on vSphere, made of the port layer's: what a guest sees as its serial number
   * when the VM has {@code disk.EnableUUID}.
   *
   * @return 32 hexadecimal digits, in VMware's own range
   */
  public static String uuid(String diskId) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(diskId.getBytes(StandardCharsets.UTF_8));
      return "6000c29" + HexFormat.of().formatHex(hash).substring(0, 25);
    } catch (NoSuchAlgorithmException e) {
      throw new LinkageError("every Java has SHA-256", e);
    }
  }

  /** As descriptors and the API write it: {@code 60 00 C2 9a 00 00 00 00-00 …}. */
  static String punctuated(String uuid) {
    String pairs = uuid.replaceAll("..(?!$)", "$0 ");
    return pairs.substring(0, 23) + "-" + pairs.substring(24);
  }

  /**
   * @param size bytes, whole sectors
   */
  static String descriptor(long size, String uuid) {
    long sectors = size / SECTOR;
    return """
        # Disk DescriptorFile
        version=1
        encoding="UTF-8"
        CID=fffffffe
        parentCID=ffffffff
        createType="vmfs"

        # Extent description
        RW %d VMFS "%s"

        # The Disk Data Base
        #DDB

        ddb.adapterType = "lsilogic"
        ddb.geometry.cylinders = "%d"
        ddb.geometry.heads = "%d"
        ddb.geometry.sectors = "%d"
        ddb.uuid = "%s"
        ddb.virtualHWVersion = "14"
        """
        .formatted(
            sectors,
            EXTENT,
            Math.max(1, sectors / (HEADS * SECTORS_PER_TRACK)),
            HEADS,
            SECTORS_PER_TRACK,
            punctuated(uuid));
  }
}
