package dev.berth.portlayer.vsphere;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import dev.berth.portlayer.architecture.CodingRules;
import org.jspecify.annotations.NullMarked;

/** What the vSphere backend may know of the world around it. */
@NullMarked
@AnalyzeClasses(packages = "dev.berth", importOptions = ImportOption.DoNotIncludeJars.class)
class LayeringTest {
  @ArchTest
  static final ArchRule KNOWS_NO_PERSONALITY =
      noClasses()
          .that()
          .resideInAPackage("dev.berth.portlayer.vsphere..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "dev.berth.provider..",
              "dev.berth.cli..",
              "dev.berth.portlayer.local..",
              "io.fabric8..")
          .because("any personality must be able to stand on it");

  @ArchTest static final ArchRule NO_CONSOLE = CodingRules.NO_CONSOLE_OR_JDK_LOGGING;

  @ArchTest static final ArchRule NO_SLEEP = CodingRules.NO_SLEEP_IN_TESTS;

  @ArchTest static final ArchRule NULL_MARKED = CodingRules.PACKAGES_ARE_NULL_MARKED;
}
