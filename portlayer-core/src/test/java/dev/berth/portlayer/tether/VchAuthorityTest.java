package dev.berth.portlayer.tether;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VchAuthorityTest {
  @TempDir Path directory;

  @Test
  void itIsMadeOnceAndOnlyItsOwnerCanReadIt() throws IOException {
    VchAuthority first = VchAuthority.open(directory);
    VchAuthority second = VchAuthority.open(directory);

    assertEquals(first.certificate(), second.certificate());
    Path file = directory.resolve("authority.pem");
    assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    try (Stream<Path> files = Files.list(directory)) {
      assertEquals(List.of(file), files.toList());
    }
  }

  @Test
  void anIssuedCertificateIsSignedByItAndNamesTheVm() throws IOException, GeneralSecurityException {
    VchAuthority authority = VchAuthority.open(directory);
    String longId = "a".repeat(128);

    VchAuthority.Identity identity = authority.issue(longId);

    X509Certificate certificate = parse(identity.certificate());
    certificate.verify(authority.certificate().getPublicKey());
    assertEquals("CN=" + longId, certificate.getSubjectX500Principal().getName());
    assertEquals(
        List.of(List.of(2, VchAuthority.serverName(longId))),
        List.copyOf(certificate.getSubjectAlternativeNames()));
    assertTrue(identity.key().startsWith("-----BEGIN PRIVATE KEY-----"));
    assertEquals("Identity[]", identity.toString());
  }

  @Test
  void twoVmsHaveTwoNames() {
    assertNotEquals(VchAuthority.serverName("web-0"), VchAuthority.serverName("web-1"));
  }

  @Test
  void aDamagedFileIsRefused() throws IOException {
    Files.writeString(directory.resolve("authority.pem"), "nonsense");

    PortLayerException refusal =
        assertThrows(PortLayerException.class, () -> VchAuthority.open(directory));

    assertEquals(PortLayerException.Code.CORRUPT, refusal.code());
  }

  private static X509Certificate parse(String pem) throws GeneralSecurityException {
    return (X509Certificate)
        CertificateFactory.getInstance("X.509")
            .generateCertificate(new ByteArrayInputStream(pem.getBytes(StandardCharsets.UTF_8)));
  }
}
