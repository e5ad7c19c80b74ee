"""Real connections, datagrams and pings through a Lab, all at once in one select loop.

An Attempt says who asks whom for what; Prober.run sends a list of them and gives an Outcome
for each: `allow` (the echo came back whole), `deny` (silence), `reject` (a reset, or ICMP
administratively prohibited), or another word where none of these fits. Servers answer with
their namespace and the address they saw, so translation can be checked too.
"""

import errno
import os
import selectors
import socket
import struct
import time
from dataclasses import dataclass, field

SILENCE_S = 0.15
IP_RECVERR, IPV6_RECVERR = 11, 25
ICMP_PROHIBITED = {(socket.AF_INET, 3, 13), (socket.AF_INET6, 1, 1)}
ECHO = {socket.AF_INET: (1, 8, 0), socket.AF_INET6: (58, 128, 129)}


@dataclass
class Attempt:
    """One probe: from a source address in a namespace to a destination address and port."""

    source_place: str
    source: str
    destination: str
    protocol: str            # tcp, udp, ping, or a protocol's number
    port: int = 0
    source_port: int = 0
    answer_place: str = ""   # who listens, where: the destination, or behind a translation
    answer_address: str = ""
    answer_port: int = 0

    @property
    def family(self):
        return socket.AF_INET6 if ":" in self.destination else socket.AF_INET

    def __str__(self):
        port = f" {self.port}" if self.port else ""
        return f"{self.source_place}:{self.source} -> {self.destination} {self.protocol}{port}"


@dataclass
class Outcome:
    """What became of an attempt."""

    verdict: str
    place: str = ""          # the namespace that answered
    seen: str = ""           # the source address that it saw
    delivered: bool = False  # the far side got it, whether or not the answer came back


@dataclass
class Flight:
    """An attempt under way."""

    attempt: Attempt
    token: bytes
    socket: socket.socket
    outcome: Outcome = None
    received: bytes = field(default=b"")


def checksum(data):
    """The internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def echo_request(family, identifier, token):
    """An ICMP echo request; for IPv6 the kernel fills in the checksum."""
    kind = ECHO[family][1]
    head = struct.pack("!BBHHH", kind, 0, 0, identifier, 1)
    if family == socket.AF_INET:
        head = struct.pack("!BBHHH", kind, 0, checksum(head + token), identifier, 1)
    return head + token


class Servers:
    """Echo servers on exactly the addresses and ports that attempts ask for."""

    def __init__(self, lab, selector):
        self.lab = lab
        self.selector = selector
        self.sockets = {}
        self.delivered = set()   # tokens that arrived

    def need(self, place, address, protocol, port):
        key = (place, address, protocol, port)
        if key in self.sockets or protocol == "ping":
            return
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        if protocol in ("tcp", "udp"):
            kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
            server = self.lab.namespace(place).socket(family, kind)
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            server = self.lab.namespace(place).socket(family, socket.SOCK_RAW, int(protocol))
        server.setblocking(False)
        server.bind((address, port))
        if protocol == "tcp":
            server.listen(256)
            action = self.accept
        else:
            action = self.answer_datagram
        self.sockets[key] = server
        self.selector.register(server, selectors.EVENT_READ, (action, place))

    def accept(self, server, place):
        connection, _ = server.accept()
        connection.setblocking(False)
        self.selector.register(connection, selectors.EVENT_READ, (self.answer_stream, place))

    def reply(self, place, peer, token):
        self.delivered.add(token)
        return f"{place} {peer} ".encode() + token

    def answer_stream(self, connection, place):
        """Echoes what a connection sends, until it is closed."""
        try:
            token = connection.recv(4096)
            if token:
                connection.send(self.reply(place, connection.getpeername()[0], token) + b"\n")
                return
        except OSError:
            pass
        self.selector.unregister(connection)
        connection.close()

    def answer_datagram(self, server, place):
        try:
            token, peer = server.recvfrom(4096)
            if server.type == socket.SOCK_RAW and server.family == socket.AF_INET:
                token = token[20:]
            if not token.startswith(b"fwc"):
                return  # an answer that a raw socket hears, too
            server.sendto(self.reply(place, peer[0], token) + b"\n", peer)
        except OSError:
            pass

    def close(self):
        for server in self.sockets.values():
            self.selector.unregister(server)
            server.close()


class Prober:
    """Sends attempts through a lab and watches what becomes of them."""

    def __init__(self, lab):
        self.lab = lab
        self.selector = selectors.DefaultSelector()
        self.servers = Servers(lab, self.selector)
        self.counter = 0
        self.waiting = 0

    def run(self, attempts, silence_s=SILENCE_S):
        """Sends all attempts at once; gives their outcomes in the same order."""
        for attempt in attempts:
            self.servers.need(attempt.answer_place, attempt.answer_address, attempt.protocol,
                              attempt.answer_port or attempt.port)
        flights = [self.launch(attempt) for attempt in attempts]
        self.loop_until(lambda: self.waiting == 0, silence_s)
        return [self.finish(flight) for flight in flights]

    def loop_until(self, is_done, timeout_s):
        """Serves every socket until `is_done` or nothing has happened for timeout_s."""
        deadline = time.monotonic() + timeout_s
        while not is_done() and time.monotonic() < deadline:
            events = self.selector.select(max(0, deadline - time.monotonic()))
            if events:
                deadline = time.monotonic() + timeout_s
            for key, _ in events:
                action, context = key.data
                action(key.fileobj, context)

    # --- asking --------------------------------------------------------------------------

    def launch(self, attempt):
        self.counter += 1
        token = f"fwc-{os.getpid()}-{self.counter}".encode()
        flight = Flight(attempt, token, self.client_socket(attempt))
        self.waiting += 1
        try:
            self.start(flight)
        except OSError as error:
            if error.errno != errno.EPERM:  # dropped on output: an answer may still come
                self.conclude_error(flight, error.errno)
        return flight

    def client_socket(self, attempt):
        namespace = self.lab.namespace(attempt.source_place)
        if attempt.protocol == "tcp":
            client = namespace.socket(attempt.family, socket.SOCK_STREAM)
        elif attempt.protocol == "udp":
            client = namespace.socket(attempt.family, socket.SOCK_DGRAM)
        elif attempt.protocol == "ping":
            client = namespace.socket(attempt.family, socket.SOCK_RAW, ECHO[attempt.family][0])
        else:
            client = namespace.socket(attempt.family, socket.SOCK_RAW, int(attempt.protocol))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if attempt.family == socket.AF_INET:
            client.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        else:
            client.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        client.setblocking(False)
        return client

    def start(self, flight):
        attempt, client = flight.attempt, flight.socket
        if attempt.source or attempt.source_port:
            client.bind((attempt.source, attempt.source_port))
        if attempt.protocol == "tcp":
            self.selector.register(client, selectors.EVENT_WRITE, (self.connected, flight))
            status = client.connect_ex((attempt.destination, attempt.port))
            if status not in (0, errno.EINPROGRESS):
                raise OSError(status, "connect")
            return
        self.selector.register(client, selectors.EVENT_READ, (self.heard, flight))
        client.connect((attempt.destination, attempt.port))
        if attempt.protocol == "ping":
            client.send(echo_request(attempt.family, self.counter & 0xffff, flight.token))
        else:
            client.send(flight.token)

    def connected(self, client, flight):
        """A connect has ended, one way or the other."""
        error = client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            self.conclude_error(flight, error)
            return
        self.selector.modify(client, selectors.EVENT_READ, (self.heard, flight))
        try:
            client.send(flight.token)
        except OSError as failure:
            self.conclude_error(flight, failure.errno)

    def heard(self, client, flight):
        try:
            data = client.recv(4096)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EINTR):
                self.conclude_error(flight, error.errno)
            return
        if flight.attempt.protocol == "ping":
            self.heard_echo(flight, data)
            return
        if flight.attempt.protocol == "tcp" and not data:
            self.conclude(flight, Outcome("closed"))
            return
        if client.type == socket.SOCK_RAW and client.family == socket.AF_INET:
            data = data[20:]
        flight.received += data
        if flight.received.endswith(flight.token + b"\n"):
            place, seen = flight.received.split(b" ")[:2]
            self.conclude(flight, Outcome("allow", place.decode(), seen.decode()))

    def heard_echo(self, flight, data):
        """A raw socket hears every ICMP message: only the own echo's answer counts."""
        if flight.attempt.family == socket.AF_INET:
            data = data[(data[0] & 15) * 4:]
        answer = bytes([ECHO[flight.attempt.family][2]])
        if data.startswith(answer) and data.endswith(flight.token):
            self.conclude(flight, Outcome("allow", flight.attempt.answer_place))

    # --- concluding ------------------------------------------------------------------------

    def conclude_error(self, flight, code):
        if code == errno.ECONNREFUSED and flight.attempt.protocol == "tcp":
            self.conclude(flight, Outcome("reject"))
        elif self.prohibited(flight.socket, flight.attempt.family):
            self.conclude(flight, Outcome("reject"))
        else:
            self.conclude(flight, Outcome(errno.errorcode.get(code, str(code))))

    @staticmethod
    def prohibited(client, family):
        """Whether the socket's error queue holds ICMP administratively prohibited."""
        try:
            _, ancillary, _, _ = client.recvmsg(4096, 512, socket.MSG_ERRQUEUE)
        except OSError:
            return False
        for _, kind, data in ancillary:
            if kind in (IP_RECVERR, IPV6_RECVERR):
                _, _, icmp_type, code = struct.unpack_from("=IBBB", data)
                return (family, icmp_type, code) in ICMP_PROHIBITED
        return False

    def conclude(self, flight, outcome):
        if flight.outcome is None:
            flight.outcome = outcome
            self.waiting -= 1
        try:
            self.selector.unregister(flight.socket)
        except (KeyError, ValueError):
            pass

    def finish(self, flight):
        if flight.outcome is None:
            self.conclude(flight, Outcome("deny"))
        flight.outcome.delivered = flight.token in self.servers.delivered
        flight.socket.close()
        return flight.outcome

    def close(self):
        self.loop_until(lambda: False, 0.01)
        for key in list(self.selector.get_map().values()):
            if key.fileobj not in self.servers.sockets.values():
                self.selector.unregister(key.fileobj)
                key.fileobj.close()
        self.servers.close()
        self.selector.close()
