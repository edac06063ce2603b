package dev.berth.cli;

import java.util.List;
import picocli.CommandLine.Option;

/**
 * The flags of every command that speaks to a vCenter, read by name as {@code KubeletCommand}'s.
 */
@SuppressWarnings("UnusedVariable")
public final class VcenterOptions {
  @Option(
      names = "--vcenter",
      paramLabel = "URL",
      description = "The vCenter, such as https://vcenter.example.com.")
  private List<String> vcenter = List.of();

  @Option(
      names = "--vcenter-ca-file",
      paramLabel = "FILE",
      description =
          "Who signs the vCenter's certificate, PEM; what this machine trusts by default.")
  private List<String> caFile = List.of();

  @Option(
      names = "--vcenter-thumbprint",
      paramLabel = "SHA256",
      description = "Thumbprint of the vCenter's certificate, instead of an authority.")
  private List<String> thumbprint = List.of();

  @Option(names = "--vcenter-user", paramLabel = "USER", description = "Who logs in.")
  private List<String> user = List.of();

  @Option(
      names = "--vcenter-password-file",
      paramLabel = "FILE",
      description = "File with the user's password, of mode 0600.")
  private List<String> passwordFile = List.of();
}
