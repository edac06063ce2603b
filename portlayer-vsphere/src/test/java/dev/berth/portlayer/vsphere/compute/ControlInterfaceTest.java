package dev.berth.portlayer.vsphere.compute;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ControlInterfaceTest {
  @Test
  void theAddressFollowsFromTheMac() throws Exception {
    InetSocketAddress address = ControlInterface.address("00:50:56:12:34:56", "lo").orElseThrow();

    Inet6Address host = (Inet6Address) address.getAddress();
    assertTrue(host.isLinkLocalAddress());
    assertTrue(host.getHostAddress().startsWith("fe80:0:0:0:250:56ff:fe12:3456%"));
    assertEquals(NetworkInterface.getByName("lo").getIndex(), host.getScopeId());
  }

  @Test
  void aMachineWithoutTheInterfaceHasNoWay() {
    assertEquals(Optional.empty(), ControlInterface.address("00:50:56:12:34:56", "none"));
    assertThrows(PortLayerException.class, () -> ControlInterface.address("00:50:56", "lo"));
  }

  @Test
  void noTwoVmsOfAVchHaveTheSameMac() {
    Set<String> taken = new HashSet<>();
    for (int i = 0; i < 5000; i++) {
      String mac = ControlInterface.mac("vch", "vm-" + i % 100, taken);
      assertTrue(mac.matches("00:50:56:[0-3][0-9a-f](:[0-9a-f]{2}){2}"), mac);
      assertTrue(taken.add(mac), mac);
    }
  }
}
