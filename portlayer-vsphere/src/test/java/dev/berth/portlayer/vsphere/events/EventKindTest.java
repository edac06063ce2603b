package dev.berth.portlayer.vsphere.events;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.events.PortLayerEvent;
import dev.berth.portlayer.vsphere.vim.Events.Event;
import dev.berth.portlayer.vsphere.vim.VimJson;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What vCenter's events mean to a container. */
class EventKindTest {
  private static Event event(String properties) {
    String json =
        """
        {"key":5,"chainId":5,"createdTime":"2026-01-02T03:04:05.6Z","userName":"CORP\\\\eve",
         "host":{"_typeName":"HostEventArgument","name":"esx2","host":
           {"_typeName":"ManagedObjectReference","type":"HostSystem","value":"host-2"}},
         "fullFormattedMessage":"guestinfo.secret: hidden",%s}
        """
            .formatted(properties);
    return VimJson.read(json.getBytes(StandardCharsets.UTF_8), Event.class);
  }

  private static void assertTold(PortLayerEvent.Type type, String detail, Event event) {
    EventKind kind = EventKind.of(event).orElseThrow();
    assertEquals(type, kind.type().apply(event));
    assertEquals(detail, kind.detail().apply(event));
  }

  @ParameterizedTest
  @CsvSource({
    "green, yellow, ALARM",
    "green, red, ALARM",
    "yellow, red, ALARM",
    "red, yellow, NOTICE",
    "red, green, NOTICE",
    "yellow, gray, NOTICE"
  })
  void anAlarmIsOneWhenItGetsWorse(String from, String to, PortLayerEvent.Type type) {
    assertTold(
        type,
        "alarm \"Datastore usage on disk\" went from %s to %s".formatted(from, to),
        event(
            """
            "_typeName":"AlarmStatusChangedEvent","from":"%s","to":"%s",
            "alarm":{"_typeName":"AlarmEventArgument","name":"Datastore usage on disk",
              "alarm":{"_typeName":"ManagedObjectReference","type":"Alarm","value":"alarm-8"}},
            "source":{"_typeName":"ManagedEntityEventArgument","name":"ds1",
              "entity":{"_typeName":"ManagedObjectReference","type":"Datastore","value":"datastore-1"}},
            "entity":{"_typeName":"ManagedEntityEventArgument","name":"ds1",
              "entity":{"_typeName":"ManagedObjectReference","type":"Datastore","value":"datastore-1"}}
            """
                .formatted(from, to)));
  }

  @Test
  void aQuestionIsToldByItsFirstLine() {
    assertTold(
        PortLayerEvent.Type.WARNING,
        "vSphere says: There is no more space for virtual disk a.vmdk.",
        event(
            """
            "_typeName":"VmMessageEvent",
            "message":"There is no more space for virtual disk a.vmdk.\\nClick Retry."
            """));
  }

  @Test
  void aLongMessageIsCut() {
    Event event =
        event("\"_typeName\":\"VmMessageWarningEvent\",\"message\":\"" + "x".repeat(999) + "\"");

    String detail = EventKind.of(event).orElseThrow().detail().apply(event);
    assertEquals("vSphere says: ".length() + 301, detail.length());
  }

  @Test
  void whatWasChangedMayBeSecret() {
    Event event =
        event("\"_typeName\":\"VmReconfiguredEvent\",\"configSpec\":{\"_typeName\":\"New\"}");

    assertTold(PortLayerEvent.Type.WARNING, "reconfigured in vCenter by CORP\\eve", event);
    assertTrue(EventKind.of(event).orElseThrow().byOthers());
  }

  @Test
  void aFailureHasItsReason() {
    assertTold(
        PortLayerEvent.Type.WARNING,
        "cannot be restarted by vSphere HA: No host is compatible",
        event(
            """
            "_typeName":"VmFailoverFailed","reason":{"_typeName":"LocalizedMethodFault",
              "localizedMessage":"No host is compatible","fault":{"_typeName":"NoCompatibleHost"}}
            """));
    assertTold(
        PortLayerEvent.Type.WARNING,
        "cannot be moved to another host: NoCompatibleHost",
        event(
            """
            "_typeName":"VmFailedMigrateEvent","reason":{"_typeName":"LocalizedMethodFault",
              "fault":{"_typeName":"NoCompatibleHost"}}
            """));
  }

  @Test
  void aRestartByHighAvailabilityIsToldOfBothReleasesKinds() {
    assertTold(
        PortLayerEvent.Type.VM_RESTARTED,
        "restarted by vSphere HA on esx2",
        event(
            "\"_typeName\":\"EventEx\",\"eventTypeId\":\"com.vmware.vc.ha.VmRestartedByHAEvent\""));
    assertTold(
        PortLayerEvent.Type.VM_RESTARTED,
        "restarted by vSphere HA on esx2 after esx1 failed",
        event(
            """
            "_typeName":"VmRestartedOnAlternateHostEvent","sourceHost":
              {"_typeName":"HostEventArgument","name":"esx1","host":
                {"_typeName":"ManagedObjectReference","type":"HostSystem","value":"host-1"}}
            """));
  }

  @Test
  void aReasonThatIsTextHarmsNothing() {
    Event event = event("\"_typeName\":\"HostDisconnectedEvent\",\"reason\":\"user\"");

    assertTold(PortLayerEvent.Type.WARNING, "host esx2 was disconnected from vCenter", event);
  }

  @Test
  void otherKindsAreNotTold() {
    Event event = event("\"_typeName\":\"VmBeingMigratedEvent\"");

    assertEquals(Optional.empty(), EventKind.of(event));
    assertFalse(EventKind.names(EventKind.About.VM).contains("VmBeingMigratedEvent"));
    assertFalse(EventKind.names(EventKind.About.VM).contains("HostConnectionLostEvent"));
    assertTrue(EventKind.names(EventKind.About.HOST).contains("HostConnectionLostEvent"));
  }
}
