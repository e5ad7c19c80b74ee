"""What iptables does to a packet, from the text of iptables-save and the manual alone.

A walk: chain by chain, rule by rule, each match asked in its turn, jumps and returns as they come
(iptables(8), iptables-extensions(8)). No sets, nothing merged. Shares no code with the importer.
What a packet does not show (marks, limits, what is recent) is asked of an oracle.
"""

import ipaddress
import shlex
from dataclasses import dataclass

PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58, "ipv6-icmp": 58, "esp": 50, "gre": 47, "sctp": 132,
             "ah": 51, "udplite": 136, "dccp": 33, "igmp": 2, "ospf": 89, "vrrp": 112, "all": None, "0": None}
OF_TARGETS = ("--to-", "--log-", "--nflog-", "--reject-with")
FAR = {"ACCEPT", "DROP", "REJECT", "DNAT", "SNAT", "MASQUERADE", "REDIRECT"}


@dataclass
class Packet:
    """Interfaces are names, addresses objects of ipaddress; kind is port or type, code port or code."""

    hook: str
    in_interface: str
    out_interface: str
    source: object
    destination: object
    protocol: int
    destination_port: int = 0    # of ICMP: type
    source_port: int = 0         # of ICMP: code
    state: str = "NEW"
    hop_limit: int = 64
    is_broadcast: bool = False   # its destination is the broadcast of a network


class Table:
    """The filter table of a text."""

    def __init__(self, text, table="filter"):
        self.policies, self.chains = {}, {}
        current = None
        for line in text.splitlines():
            words = shlex.split(line, comments=False) if line and line[0] not in "#*" else []
            if line.startswith("*"):
                current = line[1:].strip()
            if current != table or not words:
                continue
            if words[0].startswith(":"):
                self.policies[words[0][1:]] = words[1]
                self.chains[words[0][1:]] = []
            elif words[0] == "-A":
                self.chains[words[1]].append(Rule(words[2:]))
            elif words[0].startswith("["):
                self.chains[words[2]].append(Rule(words[3:]))

    def verdict(self, packet, oracle):
        """ACCEPT, DROP or REJECT, and the LOGs that were met."""
        chain = {"input": "INPUT", "forward": "FORWARD", "output": "OUTPUT"}[packet.hook]
        rule, logs = self.decide(chain, packet, oracle)
        return (rule.target if rule else self.policies.get(chain, "ACCEPT")), logs

    def decide(self, chain, packet, oracle):
        """The rule that ends the walk, or None; and LOGs."""
        logs = []
        stack = [(chain, 0)]
        while stack:
            name, index = stack.pop()
            if index == len(self.chains.get(name, [])):
                continue
            stack.append((name, index + 1))
            rule = self.chains[name][index]
            if not rule.holds(packet, oracle):
                continue
            if rule.target in FAR:
                return rule, logs
            if rule.target == "RETURN":
                stack.pop()
            elif rule.target in ("LOG", "NFLOG"):
                logs.append(rule)
            elif rule.target in self.chains:
                if rule.is_goto:
                    stack.pop()
                stack.append((rule.target, 0))
        return None, logs


class Rule:
    """One rule: pairs of a question and whether it is turned round."""

    def __init__(self, words):
        self.questions = []
        self.target, self.is_goto, self.arguments = None, False, []
        words = list(words)
        while words:
            is_negated = words[0] == "!"
            if is_negated:
                words.pop(0)
            option = words.pop(0)
            if option in ("-j", "-g"):
                self.target, self.is_goto = words.pop(0), option == "-g"
                continue
            arguments = []
            while words and words[0] != "!" and not (words[0].startswith("-") and len(words[0]) > 1):
                arguments.append(words.pop(0))
            if self.target and option.startswith(OF_TARGETS):
                self.arguments += [option, *arguments]
            else:
                self.questions.append((option, arguments, is_negated))

    def holds(self, packet, oracle):
        return all(self.ask(option, arguments, packet, oracle) != is_negated
                   for option, arguments, is_negated in self.questions
                   if option not in ("-m", "--comment", "--limit-burst"))

    def ask(self, option, arguments, packet, oracle):
        ask = QUESTIONS.get(option)
        if ask is None or (option in ("-i", "-o") and arguments[0].endswith("+")):
            return oracle(self, option, arguments)
        return ask(packet, *arguments)


def in_network(address, text):
    network = ipaddress.ip_network(text, strict=False)
    return address.version == network.version and address in network


def in_range(address, text):
    low, high = (ipaddress.ip_address(part) for part in text.split("-"))
    return low <= address <= high


def in_ports(port, text):
    for part in text.split(","):
        low, colon, high = part.partition(":")
        if int(low or 0) <= port <= (int(high or 65535) if colon else int(low)):
            return True
    return False


def of_type(packet, text):
    kind, _, code = text.partition("/")
    if text in ("any", "255"):
        return True
    return packet.destination_port == int(kind) and (not code or packet.source_port == int(code))


def of_address_type(packet, text):
    is_multicast = packet.destination.is_multicast
    is_broadcast = packet.is_broadcast or str(packet.destination) == "255.255.255.255"
    if text == "MULTICAST":
        return is_multicast
    if text == "BROADCAST":
        return is_broadcast and not is_multicast
    if text == "LOCAL":
        return packet.hook == "input" and not is_multicast and not is_broadcast
    return packet.hook != "input" and not is_multicast and not is_broadcast


def of_protocol(packet, text):
    number = PROTOCOLS[text] if text in PROTOCOLS else int(text)
    return number is None or packet.protocol == number


def of_destination_ports(packet, text):
    return in_ports(packet.destination_port, text)


def of_source_ports(packet, text):
    return in_ports(packet.source_port, text)


def of_state(packet, text):
    return packet.state in text.split(",")


QUESTIONS = {
    "-p": of_protocol,
    "-s": lambda packet, text: in_network(packet.source, text),
    "-d": lambda packet, text: in_network(packet.destination, text),
    "-i": lambda packet, text: packet.in_interface == text,
    "-o": lambda packet, text: packet.out_interface == text,
    "--dport": of_destination_ports,
    "--dports": of_destination_ports,
    "--sport": of_source_ports,
    "--sports": of_source_ports,
    "--destination-port": of_destination_ports,
    "--source-port": of_source_ports,
    "--ports": lambda packet, text: of_source_ports(packet, text) or of_destination_ports(packet, text),
    "--icmp-type": of_type,
    "--icmpv6-type": of_type,
    "--ctstate": of_state,
    "--state": of_state,
    "--src-range": lambda packet, text: in_range(packet.source, text),
    "--dst-range": lambda packet, text: in_range(packet.destination, text),
    "--dst-type": of_address_type,
    "--hl-eq": lambda packet, text: packet.hop_limit == int(text),
}
