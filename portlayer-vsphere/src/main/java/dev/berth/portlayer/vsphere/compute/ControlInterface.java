package dev.berth.portlayer.vsphere.compute;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Set;

/**
 * The interface of a VM that is its control plane's alone: how it is known, and where its tether
 * listens.
 */
final class ControlInterface {
  /** The tether's. */
  private static final int PORT = 7002;

  /** Of the addresses of VMware's that are for administrators to give. */
  private static final int MAC_BITS = 22;

  private static final HexFormat HEXADECIMAL = HexFormat.ofDelimiter(":");

  private ControlInterface() {}

  /**
   * A MAC address for a VM, of {@code 00:50:56:00:00:00} to {@code 3f:ff:ff}.
   *
   * @param taken those of the VCH's other VMs
   */
  static String mac(String vch, String containerVmId, Set<String> taken) {
    int bits = (vch + "/" + containerVmId).hashCode();
    while (taken.contains(mac(bits))) {
      bits++;
    }
    return mac(bits);
  }

  private static String mac(int number) {
    int bits = number & ((1 << MAC_BITS) - 1);
    return "00:50:56:%02x:%02x:%02x".formatted(bits >> 16, bits >> 8 & 0xff, bits & 0xff);
  }

  /**
   * Where the tether of a VM listens, seen from an interface of this machine; empty while there is
   * no such interface.
   *
   * @throws PortLayerException CORRUPT when the text is no MAC address
   */
  static Optional<InetSocketAddress> address(String mac, String from) {
    try {
      NetworkInterface own = NetworkInterface.getByName(from);
      return own == null
          ? Optional.empty()
          : Optional.of(
              new InetSocketAddress(
                  Inet6Address.getByAddress(null, linkLocal(mac), own.getIndex()), PORT));
    } catch (SocketException e) {
      return Optional.empty();
    } catch (UnknownHostException | IllegalArgumentException e) {
      throw new PortLayerException(Code.CORRUPT, "%s is no MAC address".formatted(mac), e);
    }
  }

  /** As RFC 4291 makes it of a MAC address, in appendix A. */
  private static byte[] linkLocal(String mac) {
    byte[] hardware = HEXADECIMAL.parseHex(mac);
    if (hardware.length != 6) {
      throw new IllegalArgumentException("a MAC address has 6 bytes");
    }
    byte[] address = new byte[16];
    address[0] = (byte) 0xfe;
    address[1] = (byte) 0x80;
    System.arraycopy(hardware, 0, address, 8, 3);
    address[8] ^= 2;
    address[11] = (byte) 0xff;
    address[12] = (byte) 0xfe;
    System.arraycopy(hardware, 3, address, 13, 3);
    return address;
  }
}
