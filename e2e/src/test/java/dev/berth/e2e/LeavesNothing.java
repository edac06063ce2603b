package dev.berth.e2e;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Sees to it that a test class, and each of its tests, leaves the shared installation as it was.
 */
final class LeavesNothing
    implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback {
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  @Override
  public void beforeAll(ExtensionContext context) {
    remember(context);
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    remember(context);
  }

  @Override
  public void afterEach(ExtensionContext context) {
    compare(context);
  }

  @Override
  public void afterAll(ExtensionContext context) {
    compare(context);
  }

  private static void remember(ExtensionContext context) {
    store(context).put(context.getUniqueId(), Inventory.of(Installation.shared(context)));
  }

  private static void compare(ExtensionContext context) {
    Inventory before = store(context).get(context.getUniqueId(), Inventory.class);
    if (before == null || context.getExecutionException().isPresent()) {
      return; // What failed may well leave something; its own failure says more.
    }
    await()
        .alias("nothing left by " + context.getDisplayName())
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(500))
        .untilAsserted(
            () ->
                assertEquals(
                    List.of(), before.differences(Inventory.of(Installation.shared(context)))));
  }

  private static ExtensionContext.Store store(ExtensionContext context) {
    return context.getStore(ExtensionContext.Namespace.create(LeavesNothing.class));
  }
}
