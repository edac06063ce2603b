package dev.berth.cli.quickstart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("vm")
@DisplayName("Forwarding on the host's uplink (needs root)")
class UplinkForwardingTest {
  private static final String UPLINK = "up" + ProcessHandle.current().pid() % 1_000_000;
  private static final String SETTING = "net.ipv4.conf." + UPLINK + ".forwarding";

  @TempDir private Path records = Path.of("");

  @BeforeEach
  void makeUplink() {
    Shell.require("ip", "link", "add", UPLINK, "type", "veth", "peer", "name", UPLINK + "p");
    set("0");
  }

  @AfterEach
  void removeUplink() {
    UplinkForwarding.release("first", records);
    UplinkForwarding.release("second", records);
    Shell.require("ip", "link", "delete", UPLINK);
  }

  private static void set(String value) {
    Shell.require("sysctl", "-qw", SETTING + "=" + value);
  }

  private static String setting() {
    return Shell.require("sysctl", "-n", SETTING);
  }

  private static String rules() {
    return Shell.run("nft", "list", "table", "ip", "berth-uplink-" + UPLINK).output();
  }

  private void require(String link) {
    new UplinkForwarding(UPLINK, records).require(link);
  }

  @Test
  @DisplayName("is on until the last installation that needs it stops, and leads to them only")
  void lastOneSwitchesOff() {
    require("first");
    require("first");
    require("second");
    assertEquals("1", setting());
    assertTrue(rules().contains("oifname != { \"first\", \"second\" } drop"), rules());
    UplinkForwarding.release("first", records);
    assertEquals("1", setting());
    assertTrue(rules().contains("\"second\""), rules());
    assertFalse(rules().contains("\"first\""), rules());
    UplinkForwarding.release("second", records);
    UplinkForwarding.release("second", records);
    assertEquals("0", setting());
    assertFalse(rules().contains("chain"), rules());
  }

  @Test
  @DisplayName("stays as it was where the host forwards anyway")
  void forwardsAnyway() {
    set("1");
    require("first");
    assertFalse(rules().contains("chain"), rules());
    UplinkForwarding.release("first", records);
    assertEquals("1", setting());
  }
}
