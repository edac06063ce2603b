package dev.berth.portlayer;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.junit.ArchTests;
import com.tngtech.archunit.lang.ArchRule;
import dev.berth.portlayer.architecture.CodingRules;

/** What portlayer-core may know of the world around it. */
@AnalyzeClasses(packages = "dev.berth", importOptions = ImportOption.DoNotIncludeJars.class)
class LayeringTest {
  @ArchTest
  static final ArchRule KNOWS_NO_PERSONALITY_AND_NO_BACKEND =
      CodingRules.knowsNone(
          "dev.berth",
          "a personality or a backend must be replaceable without touching the port",
          "io.fabric8..",
          "io.kubernetes..",
          "com.github.dockerjava..",
          "com.vmware..",
          "dev.berth.portlayer.local..",
          "dev.berth.portlayer.vsphere..",
          "dev.berth.provider..",
          "dev.berth.cli..");

  @ArchTest static final ArchTests CODING_RULES = ArchTests.in(CodingRules.class);
}
