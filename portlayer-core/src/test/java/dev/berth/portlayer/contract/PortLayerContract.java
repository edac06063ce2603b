package dev.berth.portlayer.contract;

import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/**
 * The contract of the port layer: the one entry point. A backend's test extends this class and
 * gives its environment; it then has every suite, those added later too.
 *
 * <p>Tests share one environment and, where that is honest, one booted containerVM, because a boot
 * may cost seconds.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 5, unit = TimeUnit.MINUTES)
public abstract class PortLayerContract {
  private @Nullable Fixture fixture;

  /** Makes the environment, once for all tests. */
  protected abstract ContractEnvironment open();

  @BeforeAll
  final void begin() {
    fixture = new Fixture(open());
  }

  @AfterAll
  final void end() {
    if (fixture != null) {
      fixture.close();
    }
  }

  private Fixture fixture() {
    if (fixture == null) {
      throw new IllegalStateException("the environment could not be opened");
    }
    return fixture;
  }

  @Nested
  @DisplayName("Images")
  class Images extends ImageContract {
    Images() {
      super(PortLayerContract.this.fixture());
    }
  }

  @Nested
  @DisplayName("Disks")
  class Disks extends DiskContract {
    Disks() {
      super(PortLayerContract.this.fixture());
    }
  }

  @Nested
  @DisplayName("Networks")
  class Networks extends NetworkContract {
    Networks() {
      super(PortLayerContract.this.fixture());
    }
  }

  @Nested
  @DisplayName("Groups")
  class Groups extends GroupContract {
    Groups() {
      super(PortLayerContract.this.fixture());
    }
  }

  @Nested
  @DisplayName("Power")
  class Power extends PowerContract {
    Power() {
      super(PortLayerContract.this.fixture());
    }
  }

  @Nested
  @DisplayName("Processes")
  class Processes extends ProcessContract {
    Processes() {
      super(PortLayerContract.this.fixture());
    }
  }

  @Nested
  @DisplayName("Stopping")
  class Stopping extends StopContract {
    Stopping() {
      super(PortLayerContract.this.fixture());
    }
  }

  @Nested
  @DisplayName("Mounts")
  class Mounts extends MountContract {
    Mounts() {
      super(PortLayerContract.this.fixture());
    }
  }

  @Nested
  @DisplayName("Logs")
  class Logs extends LogContract {
    Logs() {
      super(PortLayerContract.this.fixture());
    }
  }

  @Nested
  @DisplayName("Exec")
  class Exec extends ExecContract {
    Exec() {
      super(PortLayerContract.this.fixture());
    }
  }

  @Nested
  @DisplayName("Attach, ports and statistics")
  class Attach extends AttachContract {
    Attach() {
      super(PortLayerContract.this.fixture());
    }
  }

  @Nested
  @DisplayName("Events")
  class Events extends EventContract {
    Events() {
      super(PortLayerContract.this.fixture());
    }
  }

  @Nested
  @DisplayName("Restart of the control plane")
  class Restart extends RestartContract {
    Restart() {
      super(PortLayerContract.this.fixture());
    }
  }
}
