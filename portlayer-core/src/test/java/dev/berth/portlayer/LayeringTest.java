package dev.berth.portlayer;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import dev.berth.portlayer.architecture.CodingRules;

/** What portlayer-core may know of the world around it. */
@AnalyzeClasses(packages = "dev.berth", importOptions = ImportOption.DoNotIncludeJars.class)
class LayeringTest {
  @ArchTest
  static final ArchRule KNOWS_NO_PERSONALITY_AND_NO_BACKEND =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.fabric8..",
              "io.kubernetes..",
              "com.github.dockerjava..",
              "com.vmware..",
              "dev.berth.portlayer.local..",
              "dev.berth.portlayer.vsphere..",
              "dev.berth.provider..",
              "dev.berth.cli..")
          .because("a personality or a backend must be replaceable without touching the port");

  @ArchTest static final ArchRule NO_CONSOLE = CodingRules.NO_CONSOLE_OR_JDK_LOGGING;

  @ArchTest static final ArchRule NO_SLEEP = CodingRules.NO_SLEEP_IN_TESTS;

  @ArchTest static final ArchRule NULL_MARKED = CodingRules.PACKAGES_ARE_NULL_MARKED;
}
