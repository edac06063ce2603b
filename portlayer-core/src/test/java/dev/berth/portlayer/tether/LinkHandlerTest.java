package dev.berth.portlayer.tether;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LinkHandlerTest {
  private final Above above = new Above();
  private final EmbeddedChannel channel =
      new EmbeddedChannel(new LinkHandler(Duration.ofSeconds(10), LinkFrame.Type.START), above);

  /** Remembers whether it was told that the channel is active. */
  private static final class Above extends ChannelInboundHandlerAdapter {
    private boolean active;

    @Override
    public void channelActive(ChannelHandlerContext context) {
      active = true;
    }
  }

  @Test
  void theChannelIsActiveOnlyAfterReady() {
    LinkFrame hello = sent();
    assertEquals(LinkFrame.Type.HELLO, hello.type());

    answer(LinkFrame.Type.ACK, hello.nonce());
    assertFalse(above.active);
    assertEquals(new LinkFrame(LinkFrame.Type.START, hello.nonce()), sent());

    answer(LinkFrame.Type.READY, hello.nonce());
    assertTrue(above.active);
  }

  @Test
  void staleBytesAreDiscardedAndThoseAfterReadyPassedOn() {
    LinkFrame hello = sent();
    receive("BERTH-LINK-01 stale bytes of an earlier session".getBytes(StandardCharsets.UTF_8));
    answer(LinkFrame.Type.READY, new LinkFrame.Nonce("ff".repeat(16)));
    answer(LinkFrame.Type.ACK, hello.nonce());
    byte[] ready = new LinkFrame(LinkFrame.Type.READY, hello.nonce()).bytes();
    ByteBuf together = Unpooled.wrappedBuffer(ready, new byte[] {22, 3, 3});
    // Whatever way the stream is cut, the session begins behind READY.
    while (together.isReadable()) {
      channel.writeInbound(together.readBytes(1));
    }

    assertTrue(above.active);
    assertEquals("16", text(channel.readInbound()));
    assertEquals("03", text(channel.readInbound()));
  }

  @Test
  void afterStartNoMoreHelloIsSentWithThatNonce() {
    channel.freezeTime();
    LinkFrame first = sent();
    answer(LinkFrame.Type.ACK, first.nonce());
    assertEquals(LinkFrame.Type.START, sent().type());

    channel.advanceTimeBy(100, TimeUnit.MILLISECONDS);
    channel.runScheduledPendingTasks();

    assertNull(channel.readOutbound());
  }

  private LinkFrame sent() {
    ByteBuf bytes = channel.readOutbound();
    assertNotNull(bytes);
    return LinkFrame.parse(ByteBufUtil.getBytes(bytes), 0).orElseThrow();
  }

  private void answer(LinkFrame.Type type, LinkFrame.Nonce nonce) {
    receive(new LinkFrame(type, nonce).bytes());
  }

  private void receive(byte[] bytes) {
    channel.writeInbound(Unpooled.wrappedBuffer(bytes));
  }

  private static String text(ByteBuf bytes) {
    return ByteBufUtil.hexDump(bytes);
  }
}
