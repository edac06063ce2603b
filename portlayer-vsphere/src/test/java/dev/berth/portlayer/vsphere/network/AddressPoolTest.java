package dev.berth.portlayer.vsphere.network;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.berth.portlayer.network.Subnet;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AddressPoolTest {
  private static final PortGroupNetwork NETWORK =
      network("10.9.0.0/24", "10.9.0.11", "10.9.0.10", "10.9.0.13");

  private static PortGroupNetwork network(
      String subnet, String gateway, String first, String last) {
    return new PortGroupNetwork(
        "pods", "VM Network", subnet, gateway, first, last, List.of(), 1500);
  }

  private static AddressPool pool(String... taken) {
    Set<Long> addresses =
        Stream.of(taken).map(text -> Subnet.address("taken", text)).collect(Collectors.toSet());
    return new AddressPool(NETWORK, addresses);
  }

  private static List<String> all(AddressPool pool) {
    List<String> all = new ArrayList<>();
    for (OptionalLong next = pool.take(); next.isPresent(); next = pool.take()) {
      all.add(Subnet.text(next.getAsLong()));
    }
    return all;
  }

  @Test
  void addressesAreGivenOutInOrderWithoutTheGateway() {
    assertEquals(List.of("10.9.0.10", "10.9.0.12", "10.9.0.13"), all(pool()));
    assertEquals(3, NETWORK.describe().capacity());
  }

  @Test
  void whatWasGivenBackComesLastAndTheOldestFirst() {
    AddressPool pool = pool();
    long first = pool.take().orElseThrow();
    long second = pool.take().orElseThrow();
    pool.giveBack(second);
    pool.giveBack(first);

    assertEquals(List.of("10.9.0.13", "10.9.0.12", "10.9.0.10"), all(pool));
  }

  @Test
  void afterARestartFreshOnesComeFirst() {
    assertEquals(List.of("10.9.0.13", "10.9.0.10"), all(pool("10.9.0.12")));
    assertEquals(List.of("10.9.0.10", "10.9.0.12"), all(pool("10.9.0.13")));
    assertEquals(List.of(), all(pool("10.9.0.10", "10.9.0.12", "10.9.0.13")));
  }

  @Test
  void addressesOutOfRangeStayOut() {
    AddressPool pool = pool("10.9.0.99");
    pool.giveBack(Subnet.address("freed", "10.9.0.99"));

    assertEquals(List.of("10.9.0.10", "10.9.0.12", "10.9.0.13"), all(pool));
  }

  @ParameterizedTest
  @CsvSource({
    "10.9.0.0, 10.9.0.1, 10.9.0.2, 10.9.0.9",
    "10.9.0.0/24, 10.8.0.1, 10.9.0.2, 10.9.0.9",
    "10.9.0.0/24, 10.9.0.1, 10.9.0.0, 10.9.0.9",
    "10.9.0.0/24, 10.9.0.1, 10.9.0.2, 10.9.0.255",
    "10.9.0.0/24, 10.9.0.1, 10.9.0.9, 10.9.0.2"
  })
  void whatCannotBeIsRefused(String subnet, String gateway, String first, String last) {
    assertThrows(IllegalArgumentException.class, () -> network(subnet, gateway, first, last));
  }
}
