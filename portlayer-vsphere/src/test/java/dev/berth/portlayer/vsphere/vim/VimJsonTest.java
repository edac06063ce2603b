package dev.berth.portlayer.vsphere.vim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.vsphere.vim.Collector.UpdateSet;
import dev.berth.portlayer.vsphere.vim.Events.Event;
import dev.berth.portlayer.vsphere.vim.Tasks.TaskInfo;
import dev.berth.portlayer.vsphere.vim.VirtualDevices.VirtualHardware;
import dev.berth.portlayer.vsphere.vim.VirtualDevices.VirtualSerialPort;
import dev.berth.portlayer.vsphere.vim.VmSpecs.OptionValue;
import dev.berth.portlayer.vsphere.vim.VmSpecs.ResourceAllocationInfo;
import dev.berth.portlayer.vsphere.vim.VmSpecs.VirtualDeviceConfigSpec;
import dev.berth.portlayer.vsphere.vim.VmSpecs.VirtualMachineConfigSpec;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The wire format, against what a vCenter's documentation says of it. */
class VimJsonTest {
  private static final JsonMapper PLAIN = JsonMapper.builder().build();

  static Stream<Class<?>> types() {
    return VimJson.types();
  }

  private static void assertJson(String expected, Object value) {
    assertEquals(PLAIN.readTree(expected), PLAIN.readTree(VimJson.write(value)));
  }

  private static <T> T read(String json, Class<T> type) {
    return VimJson.read(json.getBytes(StandardCharsets.UTF_8), type);
  }

  @ParameterizedTest
  @MethodSource("types")
  void everyTypeComesBackAsItWent(Class<?> type) {
    Object sample = Samples.of(type);
    byte[] json = VimJson.write(sample);

    assertEquals(sample, VimJson.read(json, type));
    assertEquals(sample, VimJson.read(json, DataObject.class));
  }

  @ParameterizedTest
  @MethodSource("types")
  void everyObjectNamesItsType(Class<?> type) {
    JsonNode json = PLAIN.readTree(VimJson.write(Samples.of(type)));

    assertEquals(type.getSimpleName(), json.path("_typeName").asString());
    assertEveryObjectIsTyped(json, "");
  }

  private static void assertEveryObjectIsTyped(JsonNode node, String path) {
    if (node.isObject()) {
      assertTrue(node.has("_typeName"), () -> path + " has no _typeName: " + node);
    }
    node.propertyStream()
        .forEach(entry -> assertEveryObjectIsTyped(entry.getValue(), path + "/" + entry.getKey()));
    if (node.isArray()) {
      node.forEach(item -> assertEveryObjectIsTyped(item, path + "[]"));
    }
  }

  @Test
  void aRequestIsAsTheReferenceShowsIt() {
    var disk =
        new VirtualDevices.VirtualDisk(
            -3,
            -1,
            0,
            new VirtualDevices.VirtualDiskFlatVer2BackingInfo(
                "[ds1] image.vmdk", null, "independent_nonpersistent", null, null, null, null),
            1024L,
            null);
    var config =
        new VirtualMachineConfigSpec(
            null,
            "web",
            null,
            "other6xLinux64Guest",
            "",
            null,
            new VmSpecs.VirtualMachineFileInfo("[ds1]"),
            2,
            null,
            512L,
            List.of(VirtualDeviceConfigSpec.add(disk)),
            new ResourceAllocationInfo(500L, null, ResourceAllocationInfo.UNLIMITED, null),
            null,
            List.of(new OptionValue("guestinfo.a", "")));

    assertJson(
        """
        {"config": {"_typeName": "VirtualMachineConfigSpec",
          "name": "web", "guestId": "other6xLinux64Guest", "annotation": "", "numCPUs": 2, "memoryMB": 512,
          "files": {"_typeName": "VirtualMachineFileInfo", "vmPathName": "[ds1]"},
          "deviceChange": [{"_typeName": "VirtualDeviceConfigSpec", "operation": "add",
            "device": {"_typeName": "VirtualDisk", "key": -3, "controllerKey": -1, "unitNumber": 0, "capacityInKB": 1024,
              "backing": {"_typeName": "VirtualDiskFlatVer2BackingInfo", "fileName": "[ds1] image.vmdk",
                "diskMode": "independent_nonpersistent"}}}],
          "cpuAllocation": {"_typeName": "ResourceAllocationInfo", "reservation": 500, "limit": -1},
          "extraConfig": [{"_typeName": "OptionValue", "key": "guestinfo.a",
            "value": {"_typeName": "string", "_value": ""}}]},
         "pool": {"_typeName": "ManagedObjectReference", "type": "ResourcePool", "value": "resgroup-8"}}
        """,
        new Methods.CreateVm(
            config, new ManagedObjectReference("ResourcePool", "resgroup-8"), null));
  }

  @Test
  void aRequestWithoutParametersIsAnEmptyObject() {
    assertJson("{}", new Methods.PowerOffVm());
  }

  @Test
  void aPasswordIsWrittenAndNeverPrinted() {
    var login = new Methods.Login("user@vsphere.local", "s3\"cret".toCharArray());

    assertJson("{\"userName\":\"user@vsphere.local\",\"password\":\"s3\\\"cret\"}", login);
    assertFalse(login.toString().contains("cret"));
  }

  @Test
  void scalarsAreBoxedWhereAnyTypeMayStand() {
    assertJson("{\"_typeName\":\"string\",\"_value\":\"a\"}", new AnyValue("a"));
    assertJson("{\"_typeName\":\"int\",\"_value\":3}", new AnyValue(3));
    assertJson("{\"_typeName\":\"long\",\"_value\":3}", new AnyValue(3L));
    assertJson("{\"_typeName\":\"boolean\",\"_value\":true}", new AnyValue(true));
    assertJson("{\"_typeName\":\"double\",\"_value\":0.5}", new AnyValue(0.5));
    assertJson("{\"_typeName\":\"binary\",\"_value\":\"AQI=\"}", new AnyValue(new byte[] {1, 2}));
    assertJson(
        "{\"_typeName\":\"dateTime\",\"_value\":\"2026-01-02T03:04:05.000000Z\"}",
        new AnyValue(Instant.parse("2026-01-02T03:04:05Z")));
    assertJson("{\"_typeName\":\"ArrayOfString\",\"_value\":[\"a\"]}", new AnyValue(List.of("a")));
    assertJson(
        "{\"_typeName\":\"ManagedObjectReference\",\"type\":\"HostSystem\",\"value\":\"host-1\"}",
        new AnyValue(new ManagedObjectReference("HostSystem", "host-1")));
    assertThrows(
        IllegalArgumentException.class,
        () -> VimJson.write(new AnyValue(java.net.URI.create("strange"))));
  }

  @Test
  void boxesAreOpened() {
    assertEquals("poweredOn", any("VirtualMachinePowerState", "\"poweredOn\"").as(String.class));
    assertEquals(3, any("int", "3").as(Integer.class));
    assertEquals(3L, any("int", "3").as(Long.class));
    assertEquals(3L, any("long", "3").as(Long.class));
    assertEquals(true, any("boolean", "true").as(Boolean.class));
    assertEquals(
        Instant.parse("2026-01-02T03:04:05.123456Z"),
        any("dateTime", "\"2026-01-02T04:04:05.123456+01:00\"").as(Instant.class));
    assertEquals(List.of("a", "b"), any("ArrayOfString", "[\"a\",\"b\"]").list(String.class));
    assertEquals(
        List.of(new OptionValue("k", "v")),
        any(
                "ArrayOfOptionValue",
                """
                [{"_typeName":"OptionValue","key":"k","value":{"_typeName":"string","_value":"v"}}]
                """)
            .list(OptionValue.class));
    assertThrows(IllegalArgumentException.class, () -> any("int", "3").as(String.class));
  }

  private static AnyValue any(String type, String value) {
    return read("{\"_typeName\":\"%s\",\"_value\":%s}".formatted(type, value), AnyValue.class);
  }

  @Test
  void aDeviceOfAnUnknownTypeIsKept() {
    VirtualHardware hardware =
        read(
            """
            {"_typeName":"VirtualHardware","numCPU":1,"memoryMB":64,"newInVSphere12":{"_typeName":"Odd"},"device":[
              {"_typeName":"VirtualQuantumPort","key":9,"qubits":3},
              {"_typeName":"VirtualSerialPort","key":9000,"yieldOnPoll":true,
                "backing":{"_typeName":"VirtualSerialPortTelepathyBackingInfo","mood":"fine"}}]}
            """,
            VirtualHardware.class);

    GenericObject unknown = assertInstanceOf(GenericObject.class, hardware.device().getFirst());
    assertEquals("VirtualQuantumPort", unknown.typeName());
    assertEquals(9, unknown.key());
    VirtualSerialPort port = assertInstanceOf(VirtualSerialPort.class, hardware.device().getLast());
    assertEquals("fine", assertInstanceOf(GenericObject.class, port.backing()).text("mood"));
    assertJson(
        "{\"_typeName\":\"VirtualQuantumPort\",\"key\":9,\"qubits\":3}",
        hardware.device().getFirst());
  }

  @Test
  void anUnknownKindOfEventIsAnEvent() {
    Event event =
        read(
            """
            {"_typeName":"VmMigratedEvent","key":5,"chainId":5,"createdTime":"2026-01-02T03:04:05.6Z","userName":"",
             "vm":{"_typeName":"VmEventArgument","name":"web","vm":
               {"_typeName":"ManagedObjectReference","type":"VirtualMachine","value":"vm-3"}}}
            """,
            Event.class);

    assertEquals("VmMigratedEvent", event.typeName());
    assertEquals("vm-3", event.vm() == null ? "" : event.vm().vm().value());
  }

  @Test
  void aFailedTaskTellsItsFault() {
    TaskInfo task =
        read(
            """
            {"_typeName":"TaskInfo","key":"task-1","task":{"_typeName":"ManagedObjectReference","type":"Task","value":"task-1"},
             "descriptionId":"VirtualMachine.powerOn","state":"error","cancelled":false,"cancelable":false,
             "reason":{"_typeName":"TaskReasonUser","userName":"u"},"queueTime":"2026-01-02T03:04:05Z","eventChainId":1,
             "error":{"_typeName":"LocalizedMethodFault","localizedMessage":"No host is compatible",
               "fault":{"_typeName":"NoCompatibleHost","host":[]}}}
            """,
            TaskInfo.class);

    assertTrue(task.over());
    assertNull(task.progress());
    var error = task.error();
    assertNotNull(error);
    assertEquals("NoCompatibleHost", error.fault().typeName());
    assertEquals("No host is compatible", error.localizedMessage());
  }

  @Test
  void whatIsLeftOutIsEmpty() {
    UpdateSet updates = read("{\"_typeName\":\"UpdateSet\",\"version\":\"1\"}", UpdateSet.class);

    assertEquals(List.of(), updates.filterSet());
    assertNull(updates.truncated());
  }

  @ParameterizedTest
  @ValueSource(strings = {"{", "[]", "\"text\"", "{\"version\":{}}"})
  void whatIsNoMessageIsRefused(String json) {
    assertThrows(JacksonException.class, () -> read(json, UpdateSet.class));
  }

  @Test
  void aMethodReturnsAListOfObjects() {
    List<Event> events =
        VimJson.readResult(
            """
            [{"_typeName":"Event","key":1,"createdTime":"2026-01-02T03:04:05Z"}]
            """
                .getBytes(StandardCharsets.UTF_8),
            new Methods.ReadNextEvents(100));

    assertEquals(1, events.getFirst().key());
  }
}
