"""The examples as the evaluator reads them, and what it is told as data: devices and tunnels.

`flattened` puts includes and address files into the text; `sites` takes device and tunnel blocks
out of it. A tunnel's name is a network there, of what is far from the device, and what its peer
sends to keep the tunnel stands before all rules. FITTED are examples for a host with what makes
them ones for a router: a device, and no service that needs a helper.
"""

import os
import re
from dataclasses import dataclass

from policies import Device

FITTED = {
    **{name: ([(r"\A", "zone outside { network internet; }\\n")],
              Device("EDGE", {"Serial0/0": ("outside", ["80.1.0.2/30", "2001:db8:e::2/64"])}))
       for name in ("server.fw", "domain-controller.fw", "ipv6-only.fw")},
    "small-office.fw": ([(r"allow ftp;", ""),
                         (r"from wan to web1 port 22", "from wan at 80.1.0.2 to web1 port 22")],
                        Device("EDGE", {"Serial0/0": ("wan", ["80.1.0.2/29", "2001:db8:e::2/64"]),
                                        "Ethernet0": ("lan", ["192.168.0.1/24", "2001:db8:0:1::1/64"]),
                                        "Ethernet1": ("guest", ["192.168.50.1/24", "2001:db8:0:50::1/64"]),
                                        "Ethernet2": ("dmz", ["172.16.0.1/24", "2001:db8:0:d::1/64"])})),
}
BLOCK = r"^{word} (\S+) {{\n(.*?)^}}\n"


@dataclass
class Site:
    """A device of an example: the policy's text as seen from it, without and with what its tunnels
    put before all rules."""

    device: Device
    inside: str
    outside: str


def flattened(path):
    """A policy's text with its includes and address files in it, and without its title."""
    text = re.sub(r"^policy [^;]*;", "", read(path), flags=re.M)
    folder = os.path.dirname(path)
    text = re.sub(r'file "([^"]+)"(?: or empty)?',
                  lambda found: ", ".join(addresses_of(os.path.join(folder, found[1]))), text)
    return re.sub(r'^include "([^"]+)";', lambda found: flattened(os.path.join(folder, found[1])), text,
                  flags=re.M)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def addresses_of(path):
    lines = (line.partition("#")[0].strip() for line in read(path).splitlines())
    return [line for line in lines if line]


def fitted(path):
    """(text, device) of an example for a host."""
    changes, device = FITTED[os.path.basename(path)]
    text = flattened(path)
    for old, new in changes:
        text, times = re.subn(old, new, text)
        if times != 1:
            raise ValueError(f"{path}: {old!r} stands {times} times")
    return text, device


def sites(text):
    """(every Device, [Site]) of a policy with devices."""
    devices = [Device(name, interfaces_of(body)) for name, body in blocks(text, "device")]
    tunnels = blocks(text, "tunnel")
    rest = re.sub(r"^expect [^;]*;\n", "", text, flags=re.M)
    for word in ("device", "tunnel"):
        rest = re.sub(BLOCK.format(word=word), "", rest, flags=re.M | re.S)
    return devices, [site_of(device, devices, tunnels, rest) for device in devices]


def blocks(text, word):
    return re.findall(BLOCK.format(word=word), text, flags=re.M | re.S)


def interfaces_of(body):
    found = re.findall(r"interface (\S+) \{ zone (\S+); address ([^;]+);", body)
    return {name: (zone, [prefix.strip() for prefix in prefixes.split(",")]) for name, zone, prefixes in found}


def site_of(device, devices, tunnels, rest):
    zones = "".join(re.findall(r"^zone .*\n", rest, flags=re.M))
    rest = re.sub(r"^zone .*\n", "", rest, flags=re.M)
    names = transport = ""
    for name, body in tunnels:
        ends = re.search(r"between (\S+) on (\S+), (\S+) on (\S+);", body)
        near = 0 if ends[1] == device.name else 1
        far = [line.split(" <-> ")[1 - near] for line in re.findall(r"carry ([^;]+);", body)]
        zone = ends[2 + 2 * near]
        own = address_on(devices, device.name, zone)
        peer = address_on(devices, *ends.group(3 - 2 * near, 4 - 2 * near))
        names += f"network {name} = {', '.join(far)};\n"
        transport += f"from {zone} to self {{ allow 500/udp, 4500/udp, 50/ip from {peer} to {own}; }}\n"
    return Site(device, zones + names + rest, zones + names + transport + rest)


def address_on(devices, name, zone):
    device = next(device for device in devices if device.name == name)
    return next(prefixes[0].partition("/")[0] for of, prefixes in device.interfaces.values() if of == zone)
