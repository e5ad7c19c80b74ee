"""Random policies for routers: without a device, and with one or two.

Reuses the maker of tests/packets. The text of a policy with devices comes in two parts: what the
evaluator reads, and the device blocks, which it is told as data.
"""

import random
import sys
import os
from dataclasses import dataclass

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "packets"))

# pylint: disable=wrong-import-position
import generator
from evaluator import PolicyError
from spec import DevicePolicy, RouterPolicy

NAMES = {"Serial0/0": "wan", "GigabitEthernet0/0": "lan", "GigabitEthernet0/1": "dmz", "Loopback0": "opt",
         "Tunnel7": "vip", "FastEthernet1/0/2.100": "branch"}
ADDRESSES = {
    "lan": ("192.168.0.1/24", "fd00:1::1/64"), "dmz": ("172.16.0.1/24", "fd00:2::1/64"),
    "wan": ("80.1.0.2/30", "2001:db8:e::2/64"), "opt": ("10.9.0.1/16", "fd00:9::1/64"),
    "branch": ("10.5.0.1/24", "fd00:5:0:7::1/64"), "vip": ("10.5.7.1/25", ""),
}
# zone: networks; a zone without any has those of its interfaces
LAYOUTS = (
    {"lan": "192.168.0.0/24, fd00:1::/64", "dmz": "172.16.0.0/24, fd00:2::/64", "wan": "internet"},
    {"lan": "192.168.0.0/16, 10.0.0.0/8, fd00:1::/32", "wan": "internet", "opt": "172.16.0.0/12"},
    {"lan": "", "dmz": "", "wan": "internet"},
    {"lan": "192.168.0.0/24", "dmz": "fd00:2::/64", "wan": "internet"},
    {"lan": "192.168.0.0/24, fd00:1::/64", "branch": "10.5.0.0/16, fd00:5::/48", "wan": "internet"},
)


class ListMaker(generator.PolicyMaker):
    """Policies that name neither zones nor `self`: addresses, services, options."""

    def __init__(self, seed):
        super().__init__(seed)
        self.ids = 0
        self.schedules = []

    def policy(self, text):
        return RouterPolicy(text)

    def layout(self):
        return {}

    def define_schedules(self):
        for index in range(self.random.choice((0, 0, 0, 0, 1, 2))):
            spans = self.random.choice(("mon-fri 08:00-18:00", "daily 22:00-06:00",
                                        "sat 09:00-12:00, sun 10:00-24:00",
                                        "fri-mon 23:30-00:15", "wed 00:00-24:00", "mon-sun 12:00-13:00"))
            self.definitions.append(f"schedule times{index} = {spans};")
            self.schedules.append(f"times{index}")

    def make(self):
        self.define_schedules()
        for name, networks in self.layout().items():
            self.definitions.append(f"zone {name} {{ {f'network {networks};' if networks else ''} }}")
            self.zones.append(name)
        for index in range(self.random.randint(0, 5)):
            self.define_place(index)
        for index in range(self.random.randint(0, 3)):
            self.define_service(index)
        for _ in range(self.random.choice((1, 3, 6, 10, 20, 40))):
            self.keep(self.rules, self.block if self.random.random() < 0.2 else self.rule)
        if self.random.random() < 0.4:
            self.rules.append(self.default())
        self.translations()
        return "\n".join(self.definitions + self.rules) + "\n"

    def keep(self, lines, write):
        """Adds what `write` gives, unless the policy were a mistake then."""
        for _ in range(20):
            line = write()
            try:
                self.policy("\n".join(self.definitions + [line]))
            except PolicyError:
                continue
            lines.append(line)
            return True
        return False

    def place_item(self):
        draw = self.random.random()
        return "any" if draw < 0.15 else self.address_item()

    def rule(self):
        verdict = self.random.choice(("allow", "allow", "allow", "deny", "deny"))
        items = [self.service_item() for _ in range(self.random.choice((1, 1, 2, 4)))]
        text = f"{verdict} {', '.join(items)}"
        draw = self.random.random()
        if draw < 0.1:
            text += " except " + self.service_item()
        elif draw < 0.16:
            text = f"{verdict} any except {', '.join(items[:2])}"
        elif draw < 0.163:
            text = f"{verdict} {self.random.choice(('0/ip', 'any except 0/ip'))}"
        if self.random.random() < 0.6:
            text += " from " + self.place_list()
        if self.random.random() < 0.6:
            text += " to " + self.place_list()
        return text + self.options() + ";"

    def translations(self):
        """Of routers only."""

    def options(self):
        text = ""
        if self.schedules and self.random.random() < 0.2:
            text = f" during {self.random.choice(self.schedules)}"
        if self.random.random() < 0.1:
            text += self.random.choice((" ipv4", " ipv6"))
        if self.random.random() < 0.15:
            self.ids += 1
            text += self.random.choice((" log", ' because "so it is"', ' owner "us"', f" id rule-{self.ids}"))
        return text

    def default(self):
        return f"default {self.random.choice(('allow', 'deny'))};"


@dataclass
class Device:
    """A device of a policy: interfaces as {name: (zone, prefixes)}."""

    name: str
    interfaces: dict
    properties: tuple = ()

    def text(self, replies):
        lines = [f"device {self.name} {{", "  target cisco-ios;"]
        for interface, (zone, prefixes) in self.interfaces.items():
            lines.append(f"  interface {interface} {{ zone {zone}; address {', '.join(prefixes)}; }}")
        lines += [f"  {line}" for line in (f"replies {replies};", *self.properties)]
        return "\n".join(lines + ["}"]) + "\n"

    def prefixes(self):
        return [prefix for _, prefixes in self.interfaces.values() for prefix in prefixes]


def device_policy(text, devices, device):
    """A policy seen from one of its devices."""
    return DevicePolicy(text, device.interfaces, [place for other in devices if other is not device
                                                  for place in other.interfaces.values()])


class DeviceMaker(ListMaker):
    """Policies with zones on a device's interfaces, `self`, nested zones, defaults."""

    def __init__(self, seed):
        super().__init__(seed)
        self.chosen = self.random.choice(LAYOUTS)
        by_zone = {zone: interface for interface, zone in NAMES.items()}
        with_interface = [zone for zone in self.chosen
                          if zone in ("lan", "wan") or not self.chosen[zone] or self.random.random() < 0.7]
        self.devices = [Device("SITE1", {by_zone[zone]: (zone, [p for p in ADDRESSES[zone] if p])
                                         for zone in with_interface})]

    def policy(self, text):
        for device in self.devices:
            device_policy(text, self.devices, device)

    def layout(self):
        return self.chosen

    def translations(self):
        """Some of: who is hidden, and what is forwarded to hosts inside."""
        if self.random.random() < 0.5:
            self.definitions.append("masquerade from lan to wan;")
        for index in range(self.random.choice((0, 0, 1, 2))):
            address = self.random.choice(("192.168.0.80", "192.168.0.81", "192.168.0.5"))
            self.definitions.append(f"host inner{index} = {address};")
            service, more = self.random.choice((("ssh", ""), ("8085/tcp", ""), ("2222/tcp", " port 22"), ("https",
                "")))
            at = self.random.choice((" at 80.1.0.2", " at 80.1.0.7", ""))
            line = f"forward {service} from wan{at} to inner{index}{more};"
            if not any(service in rule and rule.startswith("forward") for rule in self.rules):
                self.rules.insert(self.random.randint(0, len(self.rules)), line)

    def place_item(self):
        draw = self.random.random()
        if draw < 0.45:
            return self.random.choice(self.zones)
        if draw < 0.55:
            return "any"
        if draw < 0.65:
            return "self"
        if draw < 0.7:
            return "internet"
        return self.address_item()

    def default(self):
        hook = self.random.choice(("", "input ", "forward "))
        return f"default {hook}{self.random.choice(('allow', 'deny'))};"


class TwoDeviceMaker(DeviceMaker):
    """Two sites: each zone but the common one is at one of them."""

    def __init__(self, seed):
        super().__init__(seed)
        self.chosen = self.random.choice((LAYOUTS[0], LAYOUTS[2]))
        self.devices = [
            Device("SITE1", {"Serial0/0": ("wan", ["80.1.0.2/30", "2001:db8:e::2/64"]),
                             "GigabitEthernet0/0": ("lan", list(ADDRESSES["lan"]))}),
            Device("SITE2", {"Serial0/0": ("wan", ["80.2.0.2/30", "2001:db8:f::2/64"]),
                             "Vlan7": ("dmz", list(ADDRESSES["dmz"]))})]

    def translations(self):
        """A policy's translations are for all devices, so these have none."""


class CrowdedMaker:
    """Rules about few addresses and ports: many take what others speak of, alone or together."""

    def __init__(self, seed):
        self.random = random.Random(f"crowded {seed}")

    def place(self):
        length = self.random.choice((24, 25, 25, 26, 26))
        base = self.random.randrange(1 << length - 24) << 32 - length
        return f"10.0.0.{base}/{length}"

    def service(self):
        low = self.random.choice((0, 100, 200, 300))
        high = self.random.choice((99, 199, 299, 65535))
        return f"{min(low, high)}-{max(low, high)}/{self.random.choice(('tcp', 'tcp', 'udp'))}"

    def line(self):
        verdict = "deny" if self.random.random() < 0.4 else "allow"
        what = self.service() if self.random.random() < 0.85 else "any"
        return f"{verdict} {what} from {self.place()} to {self.place()};"

    def make(self):
        return "\n".join(self.line() for _ in range(self.random.randint(8, 30))) + "\n"


class ServicesMaker:
    """Rules that say some of a few services between places that hardly meet, as most policies do: what no rule
    says of ports, no rule says anywhere."""

    SERVICES = ("22/tcp", "25/tcp", "53/tcp+udp", "80/tcp", "82-89/tcp", "123/udp", "389/tcp+udp", "514/udp",
                "60000-65535/tcp")

    def __init__(self, seed):
        self.random = random.Random(f"services {seed}")

    def place(self, family):
        number, bits = self.random.randrange(24), self.random.choice((0, 0, 4))
        if family == 6:
            return f"2001:db8::{number * 16:x}" + (f"/{128 - bits}" if bits else "")
        return f"10.0.{number // 16}.{number % 16 * 16}" + (f"/{32 - bits}" if bits else "")

    def line(self, family):
        choose = self.random
        verdict = "deny" if choose.random() < 0.1 else "allow"
        services = ", ".join(choose.sample(self.SERVICES, choose.randint(2, 6)))
        if choose.random() < 0.02:
            services = choose.choice(("any", "any/tcp except 25/tcp", "any/udp except 53/udp", "1000-2000/tcp"))
        told = choose.choice((" log", " count")) if choose.random() < 0.02 else ""
        return f"{verdict} {services} from {self.place(family)} to {self.place(family)}{told};"

    def make(self):
        family = 6 if self.random.random() < 0.3 else 4
        return "\n".join(self.line(family) for _ in range(self.random.randint(15, 40))) + "\n"
