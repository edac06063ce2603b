package dev.berth.portlayer.vsphere.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class VmdkTest {
  @Test
  void aDiskHasAnIdentityOfItsOwnThatStays() {
    assertEquals(Vmdk.uuid("web-scratch"), Vmdk.uuid("web-scratch"));
    assertNotEquals(Vmdk.uuid("web-scratch"), Vmdk.uuid("web-volume"));
    assertTrue(Vmdk.uuid("a").matches("6000c29[0-9a-f]{25}"), Vmdk.uuid("a"));
  }

  @Test
  void anIdentityIsWrittenInPairs() {
    assertEquals(
        "60 00 c2 91 23 45 67 89-ab cd ef 01 23 45 67 89",
        Vmdk.punctuated("6000c29123456789abcdef0123456789"));
  }

  @Test
  void aDescriptorTellsItsExtentInSectors() {
    String descriptor = Vmdk.descriptor(64L << 20, Vmdk.uuid("a"));

    assertTrue(descriptor.startsWith("# Disk DescriptorFile\n"), descriptor);
    assertTrue(descriptor.contains("\nRW 131072 VMFS \"disk-flat.vmdk\"\n"), descriptor);
    assertTrue(descriptor.contains("\nddb.geometry.cylinders = \"8\"\n"), descriptor);
  }
}
