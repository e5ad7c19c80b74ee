"""Packets as bytes: built whole, with right checksums, and recognised again.

Every packet carries a mark (MAGIC and its number) in its payload, so that it is known
wherever it turns up, also inside the ICMP error that answers it.
"""

import struct

from prober import checksum

MAGIC = b"fwcP"
ICMP, TCP, UDP, GRE, ESP, ICMP6 = 1, 6, 17, 47, 50, 58
ETHERTYPE = {4: 0x0800, 6: 0x86dd}
SYN = 2
RST = 4


def mark(number):
    return MAGIC + struct.pack("!I", number)


def pseudo_header(packet, length):
    """What transport checksums cover besides the transport itself."""
    if packet.family == 4:
        return (packet.source.to_bytes(4, "big") + packet.destination.to_bytes(4, "big")
                + struct.pack("!BBH", 0, packet.protocol, length))
    return (packet.source.to_bytes(16, "big") + packet.destination.to_bytes(16, "big")
            + struct.pack("!IxxxB", length, packet.protocol))


def tcp(packet, number):
    head = struct.pack("!HHIIBBHHH", packet.source_port, packet.port, number, 0, 5 << 4, SYN,
                       8192, 0, 0)
    body = head + mark(number)
    total = checksum(pseudo_header(packet, len(body)) + body)
    return body[:16] + struct.pack("!H", total) + body[18:]


def udp(packet, number):
    length = 8 + 8
    head = struct.pack("!HHHH", packet.source_port, packet.port, length, 0)
    body = head + mark(number)
    total = checksum(pseudo_header(packet, length) + body) or 0xffff
    return body[:6] + struct.pack("!H", total) + body[8:]


def icmp(packet, number):
    """Any message type; identifier and sequence hold the number, so each is a connection."""
    body = struct.pack("!BBHI", packet.port, packet.code, 0, number) + mark(number) + bytes(16)
    covered = body if packet.family == 4 else pseudo_header(packet, len(body)) + body
    return body[:2] + struct.pack("!H", checksum(covered)) + body[4:]


def other(packet, number):
    """A protocol without ports: for GRE a header without options, for others a blank."""
    del packet
    return bytes(4) + mark(number) + bytes(8)


BODIES = {TCP: tcp, UDP: udp, ICMP: icmp, ICMP6: icmp}


def build(packet, number):
    """The whole IP packet."""
    body = BODIES.get(packet.protocol, other)(packet, number)
    if packet.family == 6:
        return (struct.pack("!IHBB", 6 << 28, len(body), packet.protocol, packet.hop_limit)
                + packet.source.to_bytes(16, "big") + packet.destination.to_bytes(16, "big") + body)
    head = (struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), number & 0xffff, 0,
                        packet.hop_limit, packet.protocol, 0)
            + packet.source.to_bytes(4, "big") + packet.destination.to_bytes(4, "big"))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body


def build_frame(packet, number, target_mac):
    return target_mac + b"\x02\0\0\0\0\x01" + struct.pack("!H", ETHERTYPE[packet.family]) \
        + build(packet, number)


def number_in(data):
    """The mark's number, or None."""
    at = data.find(MAGIC)
    if at < 0 or len(data) < at + 8:
        return None
    return struct.unpack_from("!I", data, at + 4)[0]


def is_prohibited(family, message):
    """Whether an ICMP message says administratively prohibited."""
    return message[:2] == (b"\x03\x0d" if family == 4 else b"\x01\x01")


def is_error(family, message):
    """Whether an ICMP message quotes another packet."""
    return message[:1] and (message[0] in (3, 4, 5, 11, 12) if family == 4 else message[0] < 128)


def reset_of(family, addresses, segment):
    """(family, source, destination, source port, port) of the packet that a reset answers."""
    if len(segment) < 14 or not segment[13] & RST:
        return None
    source, destination = addresses
    source_port, port = struct.unpack_from("!HH", segment)
    return family, destination, source, port, source_port


def split_ip(data):
    """(family, protocol, (source, destination), transport bytes) of an IP packet, or None."""
    if len(data) >= 20 and data[0] >> 4 == 4:
        addresses = int.from_bytes(data[12:16], "big"), int.from_bytes(data[16:20], "big")
        return 4, data[9], addresses, data[(data[0] & 15) * 4:]
    if len(data) >= 40 and data[0] >> 4 == 6:
        addresses = int.from_bytes(data[8:24], "big"), int.from_bytes(data[24:40], "big")
        return 6, data[6], addresses, data[40:]
    return None
