package dev.berth.portlayer.contract;

import static dev.berth.portlayer.contract.Fixture.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.network.ContainerNetwork;
import dev.berth.portlayer.network.NicAttachment;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

abstract class NetworkContract {
  private final Fixture fixture;

  NetworkContract(Fixture fixture) {
    this.fixture = fixture;
  }

  @Test
  @DisplayName("there is a default network with a subnet, a gateway and room")
  void networks() {
    ContainerNetwork network = fixture.network().networks().getFirst();
    assertTrue(network.subnet().matches("[0-9.]+/[0-9]+"), network.subnet());
    assertFalse(network.gateway().isBlank());
    assertTrue(network.capacity() > 0);
    assertTrue(network.mtu() >= 1280);
  }

  @Test
  @DisplayName("an endpoint has an address of its own, a MAC and the network's gateway")
  void created() {
    NicAttachment first = fixture.endpoint();
    NicAttachment second = fixture.endpoint();
    assertNotEquals(first.primaryAddress(), second.primaryAddress());
    assertNotEquals(first.mac(), second.mac());
    assertTrue(first.mac().matches("([0-9a-f]{2}:){5}[0-9a-f]{2}"), first.mac());
    ContainerNetwork network = fixture.network().networks().getFirst();
    assertEquals(network.gateway(), first.gateway());
    assertNotEquals(network.gateway(), first.primaryAddress());
    delete(first);
    delete(second);
  }

  @Test
  @DisplayName("creating an endpoint again gives the same one")
  void idempotent() {
    NicAttachment first = fixture.endpoint();
    assertEquals(first, fixture.network().createEndpoint(first.id(), first.network()));
    delete(first);
  }

  @Test
  @DisplayName("an unknown network is NOT_FOUND and a bad id INVALID_ARGUMENT")
  void refused() {
    assertRefused(
        Code.NOT_FOUND,
        () -> fixture.network().createEndpoint(fixture.name("nic"), "no-such-network"));
    String network = fixture.network().networks().getFirst().name();
    assertRefused(Code.INVALID_ARGUMENT, () -> fixture.network().createEndpoint("Bad/Id", network));
  }

  @Test
  @DisplayName("deleting is idempotent, and the endpoint is gone")
  void deleted() {
    NicAttachment nic = fixture.endpoint();
    assertTrue(fixture.network().listEndpoints().contains(nic));
    delete(nic);
    delete(nic);
    assertFalse(fixture.network().listEndpoints().contains(nic));
  }

  @Test
  @DisplayName("an address just freed is not the next one given out")
  void addressNotUsedAgainAtOnce() {
    NicAttachment first = fixture.endpoint();
    delete(first);
    NicAttachment second = fixture.endpoint();
    assertNotEquals(first.primaryAddress(), second.primaryAddress());
    delete(second);
  }

  private void delete(NicAttachment nic) {
    fixture.network().deleteEndpoint(nic.id());
  }
}
