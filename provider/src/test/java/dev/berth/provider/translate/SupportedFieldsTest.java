package dev.berth.provider.translate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

@DisplayName("What is not supported is refused by its path")
class SupportedFieldsTest {
  private final KubernetesSerialization serialization = new KubernetesSerialization();
  private final SupportedFields fields = new SupportedFields(serialization);

  private record Refused(String container, String spec, String path) {}

  private static Refused container(String json, String path) {
    return new Refused(json, "", path);
  }

  private static Refused spec(String json, String path) {
    return new Refused("", json, path);
  }

  private static Refused volume(String source) {
    return spec(
        "\"volumes\":[{\"name\":\"v\",\"%s\":{\"readOnly\":true}}]".formatted(source),
        "spec.volumes[0]." + source);
  }

  private List<String> refused(String container, String spec) {
    String pod =
        """
        {"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"n"},
         "spec":{"containers":[{"name":"main","image":"i"%s}]%s}}
        """
            .formatted(
                container.isEmpty() ? "" : "," + container, spec.isEmpty() ? "" : "," + spec);
    return fields.refused(serialization.unmarshal(pod, Pod.class));
  }

  @TestFactory
  Stream<DynamicTest> refusals() {
    return Stream.of(
            container(
                "\"livenessProbe\":{\"tcpSocket\":{\"port\":1}}",
                "spec.containers[0].livenessProbe"),
            container(
                "\"readinessProbe\":{\"tcpSocket\":{\"port\":1}}",
                "spec.containers[0].readinessProbe"),
            container(
                "\"startupProbe\":{\"tcpSocket\":{\"port\":1}}", "spec.containers[0].startupProbe"),
            container(
                "\"lifecycle\":{\"preStop\":{\"sleep\":{\"seconds\":1}}}",
                "spec.containers[0].lifecycle"),
            container(
                "\"ports\":[{\"containerPort\":80,\"hostPort\":80}]",
                "spec.containers[0].ports[0].hostPort"),
            container(
                "\"volumeDevices\":[{\"name\":\"d\",\"devicePath\":\"/dev/x\"}]",
                "spec.containers[0].volumeDevices"),
            container(
                "\"resources\":{\"limits\":{\"hugepages-2Mi\":\"4Mi\"}}",
                "spec.containers[0].resources.limits.hugepages-2Mi"),
            container(
                "\"resources\":{\"requests\":{\"nvidia.com/gpu\":\"1\"}}",
                "spec.containers[0].resources.requests.nvidia.com/gpu"),
            container(
                "\"resources\":{\"claims\":[{\"name\":\"c\"}]}",
                "spec.containers[0].resources.claims"),
            container(
                "\"securityContext\":{\"seccompProfile\":{\"type\":\"Localhost\"}}",
                "spec.containers[0].securityContext.seccompProfile.type (Localhost)"),
            container(
                "\"securityContext\":{\"seLinuxOptions\":{\"type\":\"t\"}}",
                "spec.containers[0].securityContext.seLinuxOptions"),
            container(
                "\"securityContext\":{\"windowsOptions\":{\"hostProcess\":true}}",
                "spec.containers[0].securityContext.windowsOptions"),
            container(
                "\"volumeMounts\":[{\"name\":\"v\",\"mountPath\":\"/v\",\"mountPropagation\":\"Bidirectional\"}]",
                "spec.containers[0].volumeMounts[0].mountPropagation (Bidirectional)"),
            container("\"restartPolicy\":\"Always\"", "spec.containers[0].restartPolicy"),
            container("\"fieldOfTheFuture\":\"x\"", "spec.containers[0].fieldOfTheFuture"),
            spec("\"initContainers\":[{\"name\":\"i\",\"image\":\"i\"}]", "spec.initContainers"),
            spec(
                "\"ephemeralContainers\":[{\"name\":\"i\",\"image\":\"i\"}]",
                "spec.ephemeralContainers"),
            spec("\"hostNetwork\":true", "spec.hostNetwork"),
            spec("\"hostPID\":true", "spec.hostPID"),
            spec("\"hostIPC\":true", "spec.hostIPC"),
            spec("\"shareProcessNamespace\":true", "spec.shareProcessNamespace"),
            spec("\"runtimeClassName\":\"gvisor\"", "spec.runtimeClassName"),
            spec("\"overhead\":{\"cpu\":\"1\"}", "spec.overhead"),
            spec("\"resourceClaims\":[{\"name\":\"c\"}]", "spec.resourceClaims"),
            spec("\"resources\":{\"limits\":{\"cpu\":\"1\"}}", "spec.resources"),
            spec("\"os\":{\"name\":\"windows\"}", "spec.os.name (windows)"),
            spec(
                "\"securityContext\":{\"appArmorProfile\":{\"type\":\"RuntimeDefault\"}}",
                "spec.securityContext.appArmorProfile.type (RuntimeDefault)"),
            spec(
                "\"securityContext\":{\"supplementalGroupsPolicy\":\"Strict\"}",
                "spec.securityContext.supplementalGroupsPolicy (Strict)"),
            spec(
                "\"volumes\":[{\"name\":\"v\",\"emptyDir\":{\"medium\":\"HugePages\"}}]",
                "spec.volumes[0].emptyDir.medium (HugePages)"),
            spec(
                "\"volumes\":[{\"name\":\"v\",\"projected\":{\"sources\":[{\"clusterTrustBundle\":{\"path\":\"p\"}}]}}]",
                "spec.volumes[0].projected.sources[0].clusterTrustBundle"),
            spec(
                "\"volumes\":[{\"name\":\"v\",\"hostPath\":{\"path\":\"/\"}}]",
                "spec.volumes[0].hostPath"),
            spec(
                "\"volumes\":[{\"name\":\"v\",\"image\":{\"reference\":\"i\"}}]",
                "spec.volumes[0].image"),
            spec("\"volumes\":[{\"name\":\"v\",\"image\":{}}]", "spec.volumes[0].image"),
            spec(
                "\"volumes\":[{\"name\":\"v\",\"projected\":{\"sources\":[{\"podCertificate\":{}}]}}]",
                "spec.volumes[0].projected.sources[0].podCertificate"),
            volume("persistentVolumeClaim"),
            volume("csi"),
            volume("nfs"))
        .map(
            each ->
                DynamicTest.dynamicTest(
                    each.path(),
                    () ->
                        assertEquals(
                            List.of(each.path()), refused(each.container(), each.spec()))));
  }

  @Test
  @DisplayName("all of it at once")
  void allAtOnce() {
    assertEquals(
        List.of(
            "spec.containers (2 containers; one is supported)",
            "spec.containers[0].livenessProbe",
            "spec.containers[1].lifecycle",
            "spec.hostNetwork"),
        refused(
            "\"livenessProbe\":{\"tcpSocket\":{\"port\":1}}},{\"name\":\"b\",\"image\":\"i\",\"lifecycle\":{\"preStop\":{\"sleep\":{\"seconds\":1}}}",
            "\"hostNetwork\":true"));
  }

  @Test
  @DisplayName("an ordinary pod with the API server's defaults is not")
  void ordinary() {
    assertEquals(
        List.of(),
        refused(
            "\"resources\":{\"limits\":{\"cpu\":\"1\",\"memory\":\"64Mi\"}},\"ports\":[{\"containerPort\":80,\"protocol\":\"TCP\"}],\"terminationMessagePath\":\"/dev/termination-log\",\"terminationMessagePolicy\":\"File\",\"imagePullPolicy\":\"Always\",\"volumeMounts\":[{\"name\":\"t\",\"mountPath\":\"/t\",\"readOnly\":true}],\"securityContext\":{\"capabilities\":{\"add\":[\"NET_ADMIN\"]},\"seccompProfile\":{\"type\":\"RuntimeDefault\"}}",
            "\"dnsPolicy\":\"ClusterFirst\",\"enableServiceLinks\":true,\"hostNetwork\":false,\"nodeName\":\"n\",\"preemptionPolicy\":\"PreemptLowerPriority\",\"priority\":0,\"restartPolicy\":\"Always\",\"schedulerName\":\"default-scheduler\",\"securityContext\":{},\"serviceAccount\":\"default\",\"serviceAccountName\":\"default\",\"terminationGracePeriodSeconds\":30,\"tolerations\":[{\"effect\":\"NoExecute\",\"key\":\"node.kubernetes.io/not-ready\",\"operator\":\"Exists\",\"tolerationSeconds\":300}],\"volumes\":[{\"name\":\"t\",\"projected\":{\"defaultMode\":420,\"sources\":[{\"serviceAccountToken\":{\"expirationSeconds\":3607,\"path\":\"token\"}},{\"configMap\":{\"items\":[{\"key\":\"ca.crt\",\"path\":\"ca.crt\"}],\"name\":\"kube-root-ca.crt\"}},{\"downwardAPI\":{\"items\":[{\"fieldRef\":{\"apiVersion\":\"v1\",\"fieldPath\":\"metadata.namespace\"},\"path\":\"namespace\"}]}}]}}]"));
  }
}
