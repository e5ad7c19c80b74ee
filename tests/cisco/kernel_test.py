"""One policy, two targets: generated access lists and the kernel's rules, packet by packet.

usage: kernel_test.py FWC [--seed N] [--policies N] [--packets N]

Each policy is loaded with `fwc apply` into a firewall of namespaces (tests/packets), where packets
are put on wires; the same policy compiled for a router gives lists, which acl_eval.py judges. Both
have to say the same of every first packet that comes in. Half of the policies have zones: on the
host they have interfaces, on the router a device says where they are. There a packet is left out
where the two readings of the policy differ, as the router does not see where it goes out.
"""

import argparse
import ipaddress
import random
import sys

import compiled
import policies
from acl_eval import Packet
from spec import DevicePolicy, PolicyError, RouterPolicy, Vantage, own_addresses

# pylint: disable=wrong-import-order
import generator
import lab
import random_test

ZONES = {"lan": "eth1", "dmz": "eth2", "wan": "eth0", "opt": "eth3"}


class ListMaker(policies.ListMaker):
    """Policies without times: the kernel has its own clock."""

    def define_schedules(self):
        pass


class HostMaker(policies.DeviceMaker):
    """Policies with zones that a host and a device both have; without times and translations."""

    def define_schedules(self):
        pass

    def translations(self):
        pass

    def __init__(self, seed):
        super().__init__(seed)
        self.chosen = self.random.choice([layout for layout in policies.LAYOUTS if "branch" not in layout])
        self.devices = [policies.Device("SITE1", {ZONES[zone]: (zone, list(generator.FIREWALL[ZONES[zone]]))
                                                  for zone in self.chosen})]

    def for_host(self, model):
        """The zones with interfaces, and the networks of those that say none."""
        lines = []
        for line in model.splitlines():
            if line.startswith("zone "):
                name = line.split()[1]
                networks = self.chosen[name] or ", ".join(
                    str(ipaddress.ip_interface(prefix).network) for prefix in generator.FIREWALL[ZONES[name]])
                line = f"zone {name} {{ interface {ZONES[name]}; network {networks}; }}"
            lines.append(line)
        return "\n".join(lines) + "\n"


def as_list_sees(packet):
    flags = 2 if packet.protocol == 6 else 0
    return Packet(packet.family, packet.source, packet.destination, packet.protocol, packet.port,
                  packet.source_port, packet.code, flags)


class Targets:
    """The kernel and the lists of one policy after another."""

    def __init__(self, fwc, tally, packets):
        self.bench = random_test.Bench(fwc)
        self.fwc = self.bench.lab.fwc
        self.tally = tally
        self.count = packets
        self.compared = self.left_out = self.refused = self.policies = 0

    def run(self, seed):
        if seed % 2:
            maker = ListMaker(seed)
            model = maker.make()
            self.judge(seed, model, model, RouterPolicy(model, generator.INTERFACES), None)
            return
        maker = HostMaker(seed)
        model = maker.make()
        host = maker.for_host(model)
        try:
            policy = RouterPolicy(host, generator.INTERFACES)
        except PolicyError:
            return
        device = maker.devices[0]
        self.judge(seed, host, model + device.text("none"), policy,
                   DevicePolicy(model, device.interfaces), device)

    def judge(self, seed, host, text, policy, device_policy, device=None):
        """device_policy None: one list for all interfaces."""
        done = compiled.run(self.fwc, text, *(() if device else ("--ipv6",)))
        if done.status != 0:
            self.refused += 1
            return
        try:
            self.bench.lab.apply(host)
        except lab.ApplyError as error:
            self.tally.check(False, f"seed {seed}: the kernel does not take what the router takes: {error}")
            return
        self.policies += 1
        packets = self.packets(seed, policy)
        configuration = done.configurations()[device.name if device else None]
        vantages = self.vantages(device_policy, device)
        asked = [packet for packet in packets if self.is_common(policy, vantages, packet)]
        self.left_out += len(packets) - len(asked)
        wanted = {packet_id: self.permits(configuration, packet) for packet_id, packet in enumerate(asked)}
        wrong = self.differing(asked, wanted)
        if wrong:
            wrong = self.differing([asked[index] for index, _ in wrong],
                                   {at: wanted[index] for at, (index, _) in enumerate(wrong)}, [row[0]
                                       for row in wrong])
        self.compared += len(asked)
        what = "".join(f"\n  {random_test.describe(asked[index])}: list {wanted[index]}, kernel {seen}"
                       for index, seen in wrong[:3])
        self.tally.check(not wrong,
                         f"seed {seed}: {len(wrong)} packets differ{what}\n--- policy\n{text}---\n{done.text}---")

    def packets(self, seed, policy):
        maker = generator.PacketMaker(seed, policy)
        found = []
        while len(found) < self.count:
            packet = maker.make()
            is_always = packet.protocol == 58 and 130 <= packet.port <= 143   # to a list, whatever its hop limit
            if packet.hook != "output" and not is_always:
                found.append(packet)
        return found

    @staticmethod
    def vantages(policy, device):
        if device is None:
            return None
        own = own_addresses(device.prefixes())
        return {name: Vantage(policy, name, own) for name in device.interfaces}

    @staticmethod
    def is_common(policy, vantages, packet):
        """Whether host and router read the policy alike for the packet."""
        if vantages is None:
            return True
        if packet.in_interface not in vantages:
            return False
        there = vantages[packet.in_interface].verdict(as_list_sees(packet)) == "allow"
        return there == (policy.verdict(packet)[0] == "allow")

    @staticmethod
    def permits(configuration, packet):
        if configuration.interfaces:
            name = configuration.interfaces[packet.in_interface].lists[packet.family, "in"]
            return configuration.lists[packet.family, name].permits(as_list_sees(packet))
        found = [acl for (family, _), acl in configuration.lists.items() if family == packet.family]
        return bool(found) and found[0].permits(as_list_sees(packet))

    def differing(self, packets, wanted, names=None):
        """(index, what the kernel did) of packets that the kernel judges otherwise."""
        self.bench.lab.fw.forget_connections()
        numbers = self.bench.fresh_numbers(len(packets))
        expected = {number for index, number in enumerate(numbers) if wanted[index]}
        seen = self.bench.watch(random_test.Round(packets, numbers), packets, numbers, expected)
        return [(names[index] if names else index, seen.get(number, "deny")) for index,
                number in enumerate(numbers)
                if (seen.get(number, "deny") == "allow") != wanted[index]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fwc")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--policies", type=int, default=40)
    parser.add_argument("--packets", type=int, default=120)
    options = parser.parse_args()
    lab.enter("lists against the kernel")
    random.seed(options.seed)
    tally = compiled.Tally()
    targets = Targets(options.fwc, tally, options.packets)
    seeds = range(options.seed, options.seed + options.policies)
    for seed in seeds:
        targets.run(seed)
    print(f"seeds {seeds[0]} to {seeds[-1]}: {targets.policies} policies on both targets, {targets.compared}"
          f" packets compared, {targets.left_out} left out, {targets.refused} policies refused for a router")
    tally.check(targets.policies * 2 >= options.policies,
                f"only {targets.policies} of {options.policies} policies compile")
    tally.close()


if __name__ == "__main__":
    sys.exit(main())
