package dev.berth.portlayer.tether;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.io.IOException;
import java.io.InputStream;
import java.util.HexFormat;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The frames against the bytes that the tether's tests hold too. */
class LinkFrameTest {
  @Test
  void framesAreTheGoldenBytes() throws IOException {
    JsonNode golden = golden();
    LinkFrame.Nonce nonce = new LinkFrame.Nonce(golden.path("nonce").asString());
    assertEquals(LinkFrame.Type.values().length, golden.path("frames").size());
    for (JsonNode frame : golden.path("frames")) {
      LinkFrame.Type type = LinkFrame.Type.valueOf(frame.path("name").asString());
      byte[] bytes = HexFormat.of().parseHex(frame.path("hex").asString());

      assertArrayEquals(bytes, new LinkFrame(type, nonce).bytes());
      assertEquals(Optional.of(new LinkFrame(type, nonce)), LinkFrame.parse(bytes, 0));
    }
  }

  @Test
  void theNameOfAContainerVmIsTheGoldenOne() throws IOException {
    JsonNode name = golden().path("name");
    assertEquals(
        new LinkFrame.Nonce(name.path("hex").asString()),
        LinkFrame.Nonce.nameOf(name.path("id").asString()));
  }

  @Test
  void aPositionIsTheGoldenOne() throws IOException {
    LinkFrame.Nonce session = new LinkFrame.Nonce(golden().path("nonce").asString());
    long received = golden().path("position").path("received").asLong();
    LinkFrame.Nonce position =
        new LinkFrame.Nonce(golden().path("position").path("hex").asString());
    LinkFrame frame = new LinkFrame(LinkFrame.Type.RESUME, position);

    assertEquals(position, LinkFrame.position(session, received));
    assertEquals(OptionalLong.of(received), frame.received(session));
    assertEquals(OptionalLong.empty(), frame.received(LinkFrame.Nonce.nameOf("another")));
  }

  @Test
  void aFrameWithAnyByteChangedIsNone() throws IOException {
    byte[] bytes = HexFormat.of().parseHex(golden().path("frames").path(0).path("hex").asString());
    for (int i = 0; i < bytes.length; i++) {
      byte[] changed = bytes.clone();
      changed[i] ^= 0x40;
      assertEquals(Optional.empty(), LinkFrame.parse(changed, 0), "byte " + i);
    }
  }

  private static JsonNode golden() throws IOException {
    try (InputStream frames = LinkFrameTest.class.getResourceAsStream("/link/frames.json")) {
      assertNotNull(frames);
      return JsonMapper.shared().readTree(frames);
    }
  }
}
