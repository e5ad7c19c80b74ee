"""Facts about state, limits, logs, time and helpers, each shown by real packets.

Every function `fact_…` gets a World, loads policies, and checks what packets do. They share
one laboratory; each starts with an empty ruleset and connection table.
"""

import datetime
import os
import socket
import struct
import time

import expectations
import frames
import lab
import nflog
from evaluator import Packet
from generator import number
from prober import Attempt, Prober

WAIT_S = 0.3
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ZONES = """
zone wan { interface eth0; network internet; }
zone lan { interface eth1; network 192.168.0.0/24, 2001:db8:1::/64, 2001:db8:2::/64, 192.168.9.0/24; }
"""


class World:
    """A laboratory with one segment inside and one outside, and ways to ask it."""

    def __init__(self, tally, fwc):
        self.tally = tally
        self.lab = lab.Lab(fwc)
        self.network = expectations.read(os.path.join(expectations.HERE, "state.network"))
        expectations.build(self.lab, self.network)

    def check(self, holds, what):
        return self.tally.check(holds, what)

    def address(self, host, family=4):
        return self.network.hosts[host].addresses[family]

    def attempt(self, source, destination, protocol, port=0, source_port=0, family=4):
        asking = expectations.side(self.network, source, family, None)
        asked = expectations.side(self.network, destination, family, source)
        return Attempt(asking[0], asking[1], asked[1], protocol, port, source_port,
                       asked[0], asked[1], port)

    def ask(self, *attempts):
        """The verdicts of attempts that are made at once."""
        prober = Prober(self.lab)
        outcomes = prober.run(list(attempts))
        prober.close()
        return [outcome.verdict for outcome in outcomes]

    def ask_in_turn(self, *attempts):
        return [self.ask(attempt)[0] for attempt in attempts]

    def listen(self, host, port, family=4):
        kind = socket.AF_INET if family == 4 else socket.AF_INET6
        server = self.lab.namespace(self.network.hosts[host].segment).socket(kind)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((self.address(host, family), port))
        server.listen(5)
        server.settimeout(WAIT_S)
        return server

    def connect(self, host, server_host, port, family=4):
        """A connected client, or None if nothing answers."""
        kind = socket.AF_INET if family == 4 else socket.AF_INET6
        client = self.lab.namespace(self.network.hosts[host].segment).socket(kind)
        client.settimeout(WAIT_S)
        client.bind((self.address(host, family), 0))
        try:
            client.connect((self.address(server_host, family), port))
        except OSError:
            client.close()
            return None
        return client

    def talks(self, left, right):
        """Whether both ends of a connection still hear each other."""
        try:
            left.send(b"ping")
            if right.recv(100) != b"ping":
                return False
            right.send(b"pong")
            return left.recv(100) == b"pong"
        except OSError:
            return False

    def inject(self, host, packet, count=1):
        """Puts a raw packet on a host's wire."""
        segment = self.network.hosts[host].segment
        wire = self.lab.segments[segment].socket(socket.AF_PACKET, socket.SOCK_RAW)
        wire.bind(("eth0", 0))
        mac = self.lab.mac(self.lab.interfaces[segment])
        for index in range(count):
            wire.send(frames.build_frame(packet, index + 1, mac))
        wire.close()


# --- state -----------------------------------------------------------------------------------


def fact_connections_outlive_a_new_policy(world):
    allowed = ZONES + "allow 5000/tcp from lan to wan;"
    world.lab.apply(allowed)
    server = world.listen("srv", 5000)
    client = world.connect("pc", "srv", 5000)
    if not world.check(client is not None, "a connection that is allowed is made"):
        return
    peer, _ = server.accept()
    server.close()
    peer.settimeout(WAIT_S)
    world.check(world.talks(client, peer), "an allowed connection carries data")
    world.lab.apply(allowed)
    world.check(world.talks(client, peer), "a connection outlives loading the same policy")
    world.lab.apply(ZONES + "deny any from lan to wan;")
    world.check(world.talks(client, peer), "a change of policy ends no connection")
    world.check(world.ask(world.attempt("pc", "srv", "tcp", 5000)) == ["deny"],
                "a new connection meets the new policy")
    for end in (client, peer):
        end.close()


def fact_errors_about_a_connection_pass(world):
    """A port that is closed behind the firewall is reported: ICMP related to the datagram."""
    world.lab.apply(ZONES + "allow 5000/udp from lan to wan;")
    for family, kind in ((4, socket.AF_INET), (6, socket.AF_INET6)):
        client = world.lab.segments["lan"].socket(kind, socket.SOCK_DGRAM)
        client.settimeout(WAIT_S)
        client.bind((world.address("pc", family), 0))
        client.connect((world.address("srv", family), 5000))
        client.send(b"anyone?")
        try:
            client.recv(100)
            answer = "an answer"
        except ConnectionRefusedError:
            answer = "refused"
        except TimeoutError:
            answer = "silence"
        world.check(answer == "refused", f"port unreachable comes back over IPv{family}: {answer}")
        client.close()


def fact_invalid_is_dropped_and_counted(world):
    """`allow any` does not let through what connection tracking calls invalid."""
    world.lab.apply(ZONES + "allow any;")
    ear = world.lab.segments["wan"].socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    ear.settimeout(WAIT_S)
    source, destination = number(world.address("pc")), number(world.address("srv"))
    reply = Packet("forward", "eth1", "eth0", 4, source, destination, 1, 0)
    request = Packet("forward", "eth1", "eth0", 4, source, destination, 1, 8)
    world.inject("pc", request)
    world.check(arrives(ear), "an echo request passes (positive control)")
    world.inject("pc", reply, 3)
    world.check(not arrives(ear), "an echo reply that nobody asked for is dropped")
    text = world.lab.fw.must(["nft", "list", "table", "inet", "fwc"])
    world.check(counts(text, "invalid", 3), "the drop of invalid packets is counted: 3 packets")
    ear.close()


def arrives(ear):
    try:
        return frames.number_in(ear.recv(4096)) is not None
    except TimeoutError:
        return False


def counts(text, word, packets):
    """Whether a listing holds a counter of `packets` at or below a line with `word`."""
    lines = text.splitlines()
    return any(word in " ".join(lines[max(0, index - 2):index + 1]) and f"packets {packets} " in line
               for index, line in enumerate(lines))


# --- helpers ----------------------------------------------------------------------------------


def data_connection(world, port, family):
    """Speaks enough FTP to announce a passive data connection, then tries it."""
    control_server = world.listen("srv", port, family)
    data_server = world.listen("srv", 0, family)
    data_port = data_server.getsockname()[1]
    control = world.connect("pc", "srv", port, family)
    if control is None:
        return "no control connection"
    peer, _ = control_server.accept()
    if family == 4:
        where = world.address("srv").replace(".", ",") + f",{data_port // 256},{data_port % 256}"
        dialogue = (b"PASV\r\n", f"227 Entering Passive Mode ({where}).\r\n".encode())
    else:
        dialogue = (b"EPSV\r\n", f"229 Entering Extended Passive Mode (|||{data_port}|)\r\n".encode())
    peer.send(b"220 ready\r\n")
    control.recv(200)
    control.send(dialogue[0])
    peer.recv(200)
    peer.send(dialogue[1])
    control.recv(200)
    data = world.connect("pc", "srv", data_port, family)
    for end in (control, peer, control_server, data_server):
        end.close()
    if data is None:
        return "denied"
    data.close()
    return "allowed"


def fact_helpers_serve_their_service_only(world):
    for family in (4, 6):
        world.lab.apply(ZONES + "allow ftp from lan to wan;")
        found = data_connection(world, 21, family)
        world.check(found == "allowed", f"FTP's data connection over IPv{family}: {found}")
        world.lab.clear()
        world.lab.apply(ZONES + "allow 21/tcp from lan to wan;")
        found = data_connection(world, 21, family)
        world.check(found == "denied", f"a plain 21/tcp has no helper over IPv{family}: {found}")
        world.lab.clear()
        world.lab.apply(ZONES + "allow ftp, 2121/tcp from lan to wan;")
        found = data_connection(world, 2121, family)
        world.check(found == "denied", f"FTP on another port has no helper, IPv{family}: {found}")
        world.lab.clear()


# --- limits -------------------------------------------------------------------------------------


def fact_limits_deny_what_exceeds(world):
    """The fourth of three is denied by the rule itself: the next rule does not see it."""
    world.lab.apply(ZONES + "allow 5001/udp from lan to wan limit 3/hour burst 3;\n"
                    "allow 5001/udp from lan to wan;")
    found = world.ask_in_turn(*[world.attempt("pc", "srv", "udp", 5001)] * 5)
    world.check(found == ["allow"] * 3 + ["deny"] * 2, f"limit of three: {found}")


def fact_limits_count_first_packets(world):
    world.lab.apply(ZONES + "allow 5002/tcp from lan to wan limit 1/hour burst 1;")
    server = world.listen("srv", 5002)
    client = world.connect("pc", "srv", 5002)
    if not world.check(client is not None, "the first connection is within the limit"):
        return
    peer, _ = server.accept()
    peer.settimeout(WAIT_S)
    world.check(all(world.talks(client, peer) for _ in range(10)),
                "a limit of one counts connections, not their packets")
    second = world.connect("pc", "srv", 5002)
    world.check(second is None, "the second connection exceeds the limit")
    for end in (client, peer, server):
        end.close()


def fact_limits_per_source_are_apart(world):
    world.lab.apply(ZONES + "allow 5003/udp from lan to wan limit 2/hour burst 2 per source;\n"
                    "allow 5003/udp from lan to wan;")
    for host in ("pc", "pc2"):
        found = world.ask_in_turn(*[world.attempt(host, "srv", "udp", 5003)] * 3)
        world.check(found == ["allow", "allow", "deny"], f"limit for {host}: {found}")
    found = world.ask_in_turn(*[world.attempt(host, "srv", "udp", 5003, family=6)
                                for host in ("pc", "pc2", "pc", "far", "far", "far")])
    world.check(found == ["allow", "allow", "deny", "allow", "allow", "deny"],
                f"an IPv6 source is its /64: {found}")


def fact_limits_without_a_burst_have_five(world):
    world.lab.apply(ZONES + "allow 5004/udp from lan to self limit 5/hour;")
    found = world.ask_in_turn(*[world.attempt("pc", "fw", "udp", 5004)] * 7)
    world.check(found == ["allow"] * 5 + ["deny"] * 2, f"default burst: {found}")


# --- logs -----------------------------------------------------------------------------------------


def fact_logs_carry_their_prefix(world):
    world.lab.apply(ZONES + 'deny 5005/udp from lan to wan log "five-o-five";\n'
                    'allow 5006/udp from lan to wan log "let it";\n'
                    'reject 5008/tcp from lan to wan log;\n'
                    'default deny log "the rest";', "--log-group", "17")
    ear = nflog.Listener(world.lab.fw, 17)
    expected = (("udp", 5005, "deny", "five-o-five"), ("udp", 5006, "allow", "let it"),
                ("tcp", 5008, "reject", ""), ("udp", 5007, "deny", "the rest"))
    for protocol, port, verdict, prefix in expected:
        found = world.ask(world.attempt("pc", "srv", protocol, port))
        world.check(found == [verdict], f"port {port} is judged beside its log: {found}")
        heard = ear.prefixes()
        world.check(len(heard) == 1 and prefix in heard[0],
                    f"port {port} is logged once with '{prefix}': {heard}")
    ear.close()


# --- stateless ----------------------------------------------------------------------------------------


def fact_stateless_needs_both_directions(world):
    one_way = "allow 6000/udp from 192.168.0.0/24 to 198.51.100.0/24 stateless;\n"
    back = "allow any/udp sport 6000 from 198.51.100.0/24 to 192.168.0.0/24 stateless;\n"
    attempt = world.attempt("pc", "srv", "udp", 6000)
    world.lab.apply(one_way)
    prober = Prober(world.lab)
    outcome = prober.run([attempt])[0]
    prober.close()
    world.check(outcome.verdict == "deny" and outcome.delivered,
                f"stateless: the datagram arrives, its answer has no rule: {outcome}")
    world.lab.clear()
    world.lab.apply(one_way + back)
    world.check(world.ask(attempt) == ["allow"], "stateless: both directions have a rule")
    listed = world.lab.fw.run(["conntrack", "-L", "-p", "udp"])
    if listed.returncode == 0:
        world.check("dport=6000" not in listed.stdout, f"stateless is not tracked: {listed.stdout}")
    else:
        world.tally.skip("stateless makes no entry", "no conntrack tool")


# --- time ------------------------------------------------------------------------------------------------


def span(now, begin_h, end_h):
    """HH:MM-HH:MM relative to now, in hours."""
    times = [now + datetime.timedelta(hours=hours) for hours in (begin_h, end_h)]
    return "-".join(when.strftime("%H:%M") for when in times)


def fact_schedules_hold_by_the_clock(world):
    now = datetime.datetime.now(datetime.timezone.utc)
    local = now + datetime.timedelta(hours=5, minutes=30)
    rules = ("allow 7000/udp from lan to wan during open;\n"
             "deny 7001/udp from lan to wan during closed;\nallow 7001/udp from lan to wan;\n"
             "allow 7002/udp from lan to wan during closed;\n")
    for zone, clock in (("", now), ("timezone +05:30;\n", local)):
        world.lab.apply(ZONES + zone + f"schedule open = daily {span(clock, -2, 2)};\n"
                        f"schedule closed = daily {span(clock, 2, 4)};\n" + rules)
        found = world.ask(*[world.attempt("pc", "srv", "udp", port) for port in (7000, 7001, 7002)])
        world.check(found == ["allow", "allow", "deny"],
                    f"schedules {zone.strip() or 'in UTC'}: {found}")
        world.lab.clear()


def fact_schedules_know_the_day(world):
    """With an offset that makes it about noon here, so that no day ends during the test."""
    now = datetime.datetime.now(datetime.timezone.utc)
    offset = 12 - now.hour
    today = (now + datetime.timedelta(hours=offset)).weekday()
    sign = "-" if offset < 0 else "+"
    other_days = ", ".join(f"{day} 00:00-23:59" for day in DAYS if day != DAYS[today])
    world.lab.apply(ZONES + f"timezone {sign}{abs(offset):02}:00;\n"
                    f"schedule today = {DAYS[today]} 10:00-14:00;\n"
                    f"schedule never-today = {other_days};\n"
                    "allow 7003/udp from lan to wan during today;\n"
                    "allow 7004/udp from lan to wan during never-today;\n")
    found = world.ask(*[world.attempt("pc", "srv", "udp", port) for port in (7003, 7004)])
    world.check(found == ["allow", "deny"], f"days: {found}")


def fact_rules_end_with_their_date(world):
    today = datetime.datetime.now(datetime.timezone.utc).date()
    tomorrow, yesterday = (today + datetime.timedelta(days=days) for days in (1, -1))
    world.lab.apply(ZONES + f"allow 7005/udp from lan to wan until {tomorrow};\n"
                    f"allow 7006/udp from lan to wan until {yesterday};\n")
    found = world.ask(*[world.attempt("pc", "srv", "udp", port) for port in (7005, 7006)])
    world.check(found == ["allow", "deny"], f"until tomorrow, until yesterday: {found}")
    world.lab.clear()
    # compiled long ago, loaded today: the date has to be in the ruleset, too
    past = str(yesterday - datetime.timedelta(days=100))
    world.lab.apply(ZONES + f"allow 7006/udp from lan to wan until {yesterday};\n", "--date", past)
    found = world.ask(world.attempt("pc", "srv", "udp", 7006))
    world.check(found == ["deny"], f"a rule's date holds in the running ruleset: {found}")


# --- what always passes --------------------------------------------------------------------------------------


def fact_neighbours_are_found_under_deny_any(world):
    """Only ND lets IPv6 work at all: the tables of neighbours start empty here."""
    world.lab.apply(ZONES + "allow 7100/udp from lan to self;\ndeny any;\n"
                    "default output deny;")
    for namespace in (world.lab.fw, *world.lab.segments.values()):
        namespace.run(["ip", "neigh", "flush", "all"])
    found = world.ask(world.attempt("pc", "fw", "udp", 7100, family=6))
    world.check(found == ["allow"], f"IPv6 needs neighbour discovery, which passes: {found}")


def fact_loopback_passes(world):
    world.lab.apply("deny any; default output deny;")
    attempts = [Attempt("fw", address, address, "udp", 7101, 0, "fw", address, 7101)
                for address in ("127.0.0.1", "::1", "198.51.100.1")]
    found = world.ask(*attempts)
    world.check(found == ["allow"] * 3, f"loopback under deny any: {found}")


# --- translation ------------------------------------------------------------------------------------------------


def fact_masquerade_leaves_ipv6_alone(world):
    world.lab.apply(ZONES + "allow any from lan to wan; masquerade from lan to wan;")
    prober = Prober(world.lab)
    found = prober.run([world.attempt("pc", "srv", "udp", 7200),
                        world.attempt("pc", "srv", "udp", 7200, family=6)])
    prober.close()
    world.check(found[0].seen == "198.51.100.1", f"masquerade hides IPv4 sources: {found[0]}")
    world.check(found[1].seen == world.address("pc", 6), f"and no IPv6 ones: {found[1]}")
    world.lab.clear()
    world.lab.apply(ZONES + "allow any from lan to wan; masquerade from lan to wan ipv6;")
    prober = Prober(world.lab)
    found = prober.run([world.attempt("pc", "srv", "udp", 7200),
                        world.attempt("pc", "srv", "udp", 7200, family=6)])
    prober.close()
    world.check(found[0].seen == world.address("pc"), f"masquerade ipv6 leaves IPv4: {found[0]}")
    world.check(found[1].seen == "2001:db8:e::1", f"and hides IPv6 sources: {found[1]}")


def fact_a_deny_before_a_forward_wins(world):
    """A forward admits at its place among the rules: first match, as everything."""
    forward = f"forward 8080/tcp from wan to {world.address('pc')} port 80;\n"
    deny = "deny 80/tcp from srv2 to lan;\n"
    places = ZONES + f"host srv2 = {world.address('srv2')};\n"
    for order, expected in ((deny + forward, "deny"), (forward + deny, "allow")):
        world.lab.clear()
        world.lab.apply(places + order)
        attempt = world.attempt("srv2", "fw", "tcp", 8080)
        attempt.answer_place, attempt.answer_address = "lan", world.address("pc")
        attempt.answer_port = 80
        found = world.ask(attempt)
        world.check(found == [expected], f"forward and deny, in file order: {found}")


def run(tally, fwc):
    """Every fact, each on a clean firewall."""
    world = World(tally, fwc)
    facts = [value for name, value in sorted(globals().items()) if name.startswith("fact_")]
    for fact in facts:
        world.lab.clear()
        try:
            fact(world)
        except (lab.ApplyError, lab.LabError, OSError, IndexError) as error:
            tally.check(False, f"{fact.__name__}: {type(error).__name__}: {error}")
    print(f"state: {len(facts)} facts")
    world.lab.close()
