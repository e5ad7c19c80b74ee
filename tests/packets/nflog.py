"""Listens to packets that rules log to an NFLOG group (linux/netfilter/nfnetlink_log.h)."""

import socket
import struct
import time

from lab import NETLINK_NETFILTER

NFNL_SUBSYS_ULOG = 4
NFULNL_MSG_PACKET, NFULNL_MSG_CONFIG = 0, 1
NFULA_CFG_CMD, NFULA_CFG_MODE, NFULA_CFG_QTHRESH = 1, 2, 5
NFULNL_CFG_CMD_BIND = 1
NFULNL_COPY_PACKET = 2
NFULA_PREFIX = 10
NLM_F_REQUEST_ACK = 5
NLMSG_ERROR = 2


def attribute(kind, data):
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


class Listener:
    """Bound to one group in one namespace."""

    def __init__(self, namespace, group):
        self.channel = namespace.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        self.group = group
        self.configure(attribute(NFULA_CFG_CMD, struct.pack("=B", NFULNL_CFG_CMD_BIND)))
        self.configure(attribute(NFULA_CFG_MODE, struct.pack("!IBx", 256, NFULNL_COPY_PACKET)))
        self.configure(attribute(NFULA_CFG_QTHRESH, struct.pack("!I", 1)))  # at once

    def configure(self, payload):
        kind = (NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG_CONFIG
        body = struct.pack("!BBH", socket.AF_UNSPEC, 0, self.group) + payload
        self.channel.send(struct.pack("=IHHII", 16 + len(body), kind, NLM_F_REQUEST_ACK, 1, 0) + body)
        error = struct.unpack_from("=i", self.channel.recv(4096), 16)[0]
        if error:
            raise OSError(-error, "NFLOG group not bound")

    def prefixes(self, timeout_s=0.3):
        """The prefixes of all packets logged until nothing came for timeout_s."""
        found = []
        self.channel.settimeout(timeout_s)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                found += self.prefixes_in(self.channel.recv(1 << 16))
            except (TimeoutError, BlockingIOError):
                break
        return found

    def prefixes_in(self, data):
        at = 0
        while at + 16 <= len(data):
            length, kind = struct.unpack_from("=IH", data, at)
            if kind == (NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG_PACKET:
                yield from self.prefix_of(data[at + 20:at + length])
            at += max(16, (length + 3) & ~3)

    @staticmethod
    def prefix_of(attributes):
        at = 0
        while at + 4 <= len(attributes):
            length, kind = struct.unpack_from("=HH", attributes, at)
            if kind & 0x3fff == NFULA_PREFIX:
                yield attributes[at + 4:at + length].rstrip(b"\0").decode(errors="replace")
            at += max(4, (length + 3) & ~3)

    def close(self):
        self.channel.close()
