package dev.berth.portlayer.contract;

import dev.berth.portlayer.PortLayer;
import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.Capacity;
import dev.berth.portlayer.compute.ComputeService;
import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.FilesVolume;
import dev.berth.portlayer.compute.Group;
import dev.berth.portlayer.compute.GroupSpec;
import dev.berth.portlayer.compute.HostInformation;
import dev.berth.portlayer.compute.InitialProcess;
import dev.berth.portlayer.compute.ProcessSpec;
import dev.berth.portlayer.events.EventService;
import dev.berth.portlayer.image.testing.TarBuilder;
import dev.berth.portlayer.image.testing.TestImage;
import dev.berth.portlayer.interaction.InteractionService;
import dev.berth.portlayer.network.NetworkService;
import dev.berth.portlayer.storage.StorageService;
import dev.berth.portlayer.vsphere.lab.LabVch;
import dev.berth.portlayer.vsphere.lab.TestLab;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** The contract's parts that need no guest, held by the services on vCenter. */
@ExtendWith(TestLab.Resolver.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class VsphereServicesTest {
  private final Fixture fixture;

  VsphereServicesTest(TestLab lab) {
    fixture = new Fixture(new Environment(new LabVch(lab)));
  }

  @AfterAll
  void close() {
    fixture.close();
  }

  @Nested
  @DisplayName("Images")
  class Images extends ImageContract {
    Images() {
      super(VsphereServicesTest.this.fixture);
    }
  }

  @Nested
  @DisplayName("Disks")
  class Disks extends DiskContract {
    Disks() {
      super(VsphereServicesTest.this.fixture);
    }

    /** Needs a guest; {@code VsphereGroupsTest} has the same of a VM that is on. */
    @Override
    void attached() {}
  }

  @Nested
  @DisplayName("Networks")
  class Networks extends NetworkContract {
    Networks() {
      super(VsphereServicesTest.this.fixture);
    }
  }

  @Nested
  @DisplayName("Groups")
  class Groups extends GroupContract {
    Groups() {
      super(VsphereServicesTest.this.fixture);
    }
  }

  private static final class Environment implements ContractEnvironment {
    private final LabVch vch;
    private final String image;
    private final String other;

    private Environment(LabVch vch) {
      this.vch = vch;
      image = push("image");
      other = push("other");
    }

    private String push(String name) {
      TestImage image =
          new TestImage()
              .layer(new TarBuilder().file(name, name).build(), TestImage.Compression.GZIP);
      return vch.registry().push(name, "1", image);
    }

    @Override
    public PortLayer portLayer() {
      return new Layer(vch.services());
    }

    @Override
    public PortLayer restart() {
      return new Layer(vch.restart());
    }

    @Override
    public String image() {
      return image;
    }

    @Override
    public String otherImage() {
      return other;
    }

    @Override
    public void loseVm(String containerVmId) {
      throw missing();
    }

    @Override
    public Duration patience() {
      return Duration.ofSeconds(30);
    }

    @Override
    public Set<Feature> unsupported() {
      return EnumSet.complementOf(EnumSet.of(Feature.HOST_GROUPS));
    }

    @Override
    public void close() {
      vch.close();
    }
  }

  private static PortLayerException missing() {
    return new PortLayerException(Code.UNSUPPORTED, "this takes a guest");
  }

  /** The services that there are. */
  private record Layer(LabVch.Services services) implements PortLayer {
    @Override
    public StorageService storage() {
      return services.storage();
    }

    @Override
    public NetworkService network() {
      return services.network();
    }

    @Override
    public ComputeService compute() {
      return new Compute(services);
    }

    @Override
    public EventService events() {
      return services.events();
    }

    @Override
    public InteractionService interaction() {
      throw missing();
    }

    @Override
    public void close() {}
  }

  private record Compute(LabVch.Services services) implements ComputeService {
    @Override
    public Group create(GroupSpec spec) {
      return services.groups().create(spec);
    }

    @Override
    public Group powerOn(String groupId, List<InitialProcess> initial, Duration deadline) {
      throw missing();
    }

    @Override
    public Group powerOff(String groupId, Duration gracePeriod) {
      throw missing();
    }

    @Override
    public void destroy(String groupId) {
      services.groups().destroy(groupId);
    }

    @Override
    public Optional<Group> find(String groupId) {
      return services.groups().find(groupId);
    }

    @Override
    public List<Group> list() {
      return services.groups().list();
    }

    @Override
    public void writeVolume(String containerVmId, FilesVolume volume) {
      throw missing();
    }

    @Override
    public ContainerVm startProcess(String containerVmId, int attempt, ProcessSpec process) {
      throw missing();
    }

    @Override
    public ContainerVm stopProcess(String containerVmId, Duration gracePeriod) {
      throw missing();
    }

    @Override
    public Capacity capacity() {
      return services.groups().capacity();
    }

    @Override
    public HostInformation host() {
      return new HostInformation(
          "unknown",
          "unknown",
          "amd64",
          "vcenter://" + services.client().content().about().version());
    }
  }
}
