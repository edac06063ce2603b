package dev.berth.portlayer.local.network;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.network.NicAttachment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AddressesTest {
  private static final BridgeNetwork SMALL =
      new BridgeNetwork("pods", "10.9.8.0/28", List.of(), 1500);

  @TempDir Path directory;

  @Test
  void theFirstEndpointFollowsTheGateway() {
    NicAttachment first = addresses().take("a", SMALL);

    assertEquals(List.of("10.9.8.2/28"), first.addresses());
    assertEquals("10.9.8.1", first.gateway());
    assertEquals("52:54:0a:09:08:02", first.mac());
  }

  @Test
  void whenAllAreTakenTheRefusalNamesTheNetwork() {
    Addresses addresses = addresses();
    for (int i = 0; i < SMALL.capacity(); i++) {
      addresses.take("endpoint-" + i, SMALL);
    }

    PortLayerException refusal =
        assertThrows(PortLayerException.class, () -> addresses.take("more", SMALL));

    assertEquals(PortLayerException.Code.RESOURCE_EXHAUSTED, refusal.code());
    assertTrue(String.valueOf(refusal.getMessage()).contains("pods"));
  }

  /** Whatever is taken and given back, over restarts: no address twice, the longest free first. */
  @Test
  void addressesAreUniqueAndTheOneFreedFirstComesFirst() {
    Random random = new Random(7);
    Addresses addresses = addresses();
    Map<String, String> taken = new HashMap<>();
    ArrayDeque<String> freed = new ArrayDeque<>();
    int fresh = SMALL.capacity();
    for (int step = 0; step < 1_000; step++) {
      boolean take = taken.isEmpty() || (taken.size() < SMALL.capacity() && random.nextBoolean());
      if (take) {
        String address = addresses.take("endpoint-" + step, SMALL).primaryAddress();
        assertTrue(!taken.containsValue(address), "an address is given out once");
        if (fresh > 0) {
          fresh--;
        } else {
          assertEquals(freed.poll(), address);
        }
        taken.put("endpoint-" + step, address);
      } else {
        String id = taken.keySet().stream().sorted().toList().get(random.nextInt(taken.size()));
        addresses.giveBack(id);
        freed.add(Objects.requireNonNull(taken.remove(id)));
      }
      if (random.nextInt(20) == 0) {
        addresses = addresses();
        Set<String> found = new HashSet<>();
        addresses.all().forEach(endpoint -> found.add(endpoint.id()));
        assertEquals(taken.keySet(), found);
      }
    }
  }

  @Test
  void whatCannotBeWrittenHasNotHappened() throws IOException {
    Path place = directory.resolve("mounted-later");
    Addresses addresses = new Addresses(place.resolve("addresses.json"));
    assertThrows(PortLayerException.class, () -> addresses.take("a", SMALL));
    assertEquals(List.of(), List.copyOf(addresses.all()));

    Files.createDirectory(place);
    NicAttachment first = addresses.take("b", SMALL);
    Path aside = Files.move(place, directory.resolve("aside"));
    assertThrows(PortLayerException.class, () -> addresses.giveBack("b"));
    assertEquals(List.of(first), List.copyOf(addresses.all()));

    Files.move(aside, place);
    assertEquals(Optional.of(first), addresses.giveBack("b"));
    assertEquals(List.of(), List.copyOf(new Addresses(place.resolve("addresses.json")).all()));
  }

  private Addresses addresses() {
    return new Addresses(directory.resolve("addresses.json"));
  }
}
