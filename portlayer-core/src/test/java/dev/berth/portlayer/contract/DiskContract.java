package dev.berth.portlayer.contract;

import static dev.berth.portlayer.contract.Fixture.MEBIBYTE;
import static dev.berth.portlayer.contract.Fixture.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.storage.DiskAttachment.Role;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

abstract class DiskContract {
  private final Fixture fixture;

  DiskContract(Fixture fixture) {
    this.fixture = fixture;
  }

  @Test
  @DisplayName("a disk is writable, has its role and is listed")
  void created() {
    DiskAttachment disk = create(fixture.name("disk"), Role.VOLUME, 16 * MEBIBYTE);
    assertEquals(Role.VOLUME, disk.role());
    assertFalse(disk.readOnly());
    assertTrue(fixture.storage().listDisks().contains(disk));
    fixture.storage().deleteDisk(disk.id());
  }

  @Test
  @DisplayName("creating a disk again gives the same one")
  void idempotent() {
    String id = fixture.name("disk");
    DiskAttachment first = create(id, Role.SCRATCH, 20 * MEBIBYTE);
    assertEquals(first, create(id, Role.SCRATCH, 20 * MEBIBYTE));
    fixture.storage().deleteDisk(id);
  }

  @Test
  @DisplayName("sizes are rounded up to a mebibyte")
  void rounded() {
    String id = fixture.name("disk");
    DiskAttachment first = create(id, Role.SCRATCH, 16 * MEBIBYTE + 1);
    assertEquals(first, create(id, Role.SCRATCH, 17 * MEBIBYTE));
    fixture.storage().deleteDisk(id);
  }

  @Test
  @DisplayName("another size or role under the same id is ALREADY_EXISTS")
  void conflict() {
    String id = fixture.name("disk");
    create(id, Role.SCRATCH, 16 * MEBIBYTE);
    assertRefused(Code.ALREADY_EXISTS, () -> create(id, Role.SCRATCH, 32 * MEBIBYTE));
    assertRefused(Code.ALREADY_EXISTS, () -> create(id, Role.VOLUME, 16 * MEBIBYTE));
    fixture.storage().deleteDisk(id);
  }

  @Test
  @DisplayName("a disk below 16 MiB is INVALID_ARGUMENT, and so is a bad id")
  void invalid() {
    assertRefused(
        Code.INVALID_ARGUMENT, () -> create(fixture.name("disk"), Role.SCRATCH, 16 * MEBIBYTE - 1));
    assertRefused(Code.INVALID_ARGUMENT, () -> create("../escape", Role.SCRATCH, 16 * MEBIBYTE));
  }

  @Test
  @DisplayName("deleting is idempotent, and the disk is gone")
  void deleted() {
    String id = fixture.name("disk");
    create(id, Role.SCRATCH, 16 * MEBIBYTE);
    fixture.storage().deleteDisk(id);
    fixture.storage().deleteDisk(id);
    assertTrue(fixture.storage().listDisks().stream().noneMatch(disk -> disk.id().equals(id)));
  }

  @Test
  @DisplayName("a disk attached to a containerVM that is powered on is not deleted")
  void attached() {
    Guest guest = fixture.guest();
    String scratch =
        guest.spec().members().getFirst().disks().stream()
            .filter(disk -> disk.role() == Role.SCRATCH)
            .findFirst()
            .orElseThrow()
            .id();
    assertRefused(Code.FAILED_PRECONDITION, () -> fixture.storage().deleteDisk(scratch));
  }

  private DiskAttachment create(String id, Role role, long size) {
    return fixture.storage().createDisk(id, role, size);
  }
}
