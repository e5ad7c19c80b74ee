"""Object groups: lists with them mean what they mean without, and stand only where IOS takes them.

usage: groups_test.py FWC [--policies N] [--seed N]

Random policies of a device are compiled with `object-groups ios-xe` and without; each list is held
against its twin, over the whole space of packets, by the evaluator of the tests. The configuration read
back asks for no change. No group stands in an entry with `established`, in a numbered list (NAT), in a
crypto list, or in an IPv6 list where the device says `yes`. A list that would have more entries with
groups than IOS takes has none.
"""

import argparse
import os
import re
import subprocess
import tempfile

import compiled
import mutants
import policies
from acl_read import Configuration
from compiled import Tally

GROUPED_MOST = 1024
SITE = """zone lan { network 192.168.0.0/24, fd00:1::/64; }
zone wan { network internet; }
device SITE1 {
  target cisco-ios;
  interface Serial0/0 { zone wan; address 80.1.0.2/30, 2001:db8:e::2/64; }
  interface Ethernet0 { zone lan; address 192.168.0.1/24, fd00:1::1/64; }
  replies established;
  %s
}
tunnel t {
  between SITE1 on wan and peer 80.2.0.2;
  carry 192.168.0.0/25 <-> 172.16.0.0/24;
  carry 192.168.0.128/26 <-> 172.17.0.0/24;
  ike { version 1; encryption aes-256; hash sha256; group 14; }
  esp { encryption aes-256; hash sha256; }
  key env "K";
}
host web = 192.168.0.80;
group some = 10.1.0.0/16, 10.3.0.0/16, 10.5.0.1-10.5.0.6, 2001:db8:1::/48, 2001:db8:3::1;
masquerade from lan to wan;
allow http, https, dns, ping, 3:4/icmp, 47/ip, 5000-5010/udp sport 53, 80/sctp from some to web, 192.168.0.81;
allow http, https, dns, 128/icmp6, 1:4/icmp6 from some to fd00:1::80;
deny telnet, tftp from some to any;
allow smtp, ntp from lan to some;
"""


def grouped(text):
    return [line for line in text.split("\n") if " object-group " in line]


def lists_of(text):
    """{(family, name): lines} of the lists."""
    result, lines = {}, []
    for line in text.split("\n"):
        head = re.match(r"(ip access-list extended|ipv6 access-list) (\S+)$", line)
        if head:
            lines = result[6 if head[1].startswith("ipv6") else 4, head[2]] = []
        elif line.startswith(" "):
            lines.append(line)
        else:
            lines = []
    return result


def check_places(tally, title, text, has_ipv6):
    crypto = set(re.findall(r"^ match address (\S+)", text, re.M)) | set(
        re.findall(r"^ match ip address (\S+)", text, re.M))
    for (family, name), lines in lists_of(text).items():
        for line in grouped("\n".join(lines)):
            tally.check("established" not in line and "reflect" not in line, f"{title}: {line}")
            tally.check(name not in crypto, f"{title}: {name} is no filter: {line}")
            tally.check(family == 4 or has_ipv6, f"{title}: IOS has no groups of IPv6: {line}")
    tally.check(not any(line.startswith("access-list ") for line in grouped(text)), f"{title}: a numbered list")
    tally.check(has_ipv6 or "object-group v6-" not in text, f"{title}: a group of IPv6")


def check_unchanged(tally, fwc, title, policy, text, folder, options=()):
    path = os.path.join(folder, "show-run.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text + "end\n")
    done = compiled.run(fwc, policy, "--mode", "edit", "--from", path, *options)
    tally.check(done.status == 0 and done.text == "", f"{title}: the same, read back: {done.text[:200]!r} "
                f"{done.first_error()}")


def check_twins(tally, title, with_groups, without):
    names = [key for key in Configuration(without).lists]
    tally.check(names == list(Configuration(with_groups).lists), f"{title}: {names}")
    for key in names:
        is_same, packet = mutants.same_meaning(with_groups, without, key)
        tally.check(is_same, f"{title}: {key} differs for {packet}")


def check_site(tally, fwc, folder):
    plain = compiled.run(fwc, SITE % "", "--redact")
    tally.check(plain.status == 0 and not grouped(plain.text), f"without groups: {plain.first_error()}")
    for word in ("yes", "ios-xe"):
        done = compiled.run(fwc, SITE % f"object-groups {word};", "--redact")
        if not tally.check(done.status == 0, f"{word}: {done.first_error()}"):
            continue
        check_places(tally, word, done.text, word == "ios-xe")
        check_twins(tally, word, done.text, plain.text)
        kinds = set(re.findall(r"^object-group (\S+)", done.text, re.M))
        tally.check(kinds == {"network", "service"} | ({"v6-network", "v6-service"} if word == "ios-xe" else set()),
                    f"{word}: {kinds}")
        tally.check("FW0927" in done.codes("note"), f"{word}: what Cisco restricts is said")
        check_unchanged(tally, fwc, word, SITE % f"object-groups {word};", done.text, folder, ("--redact",))
    check_import(tally, fwc, folder)


ALWAYS = re.compile(r"(?m)^ sequence \d+ permit icmp .* (router-solicitation|router-advertisement|nd-ns|nd-na|"
                    r"mld-query|mld-report|132|143)\n")


def check_import(tally, fwc, folder):
    """A list with groups as a policy, and back: the same meaning. What always passes is left aside: a
    list without a device lets it pass to everyone."""
    text = SITE.replace("replies established", "replies none") % "object-groups ios-xe;"
    text = compiled.run(fwc, text, "--redact").text
    path = os.path.join(folder, "router.ios")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text + "end\n")
    for family, name in ((4, "FWC-Serial0-0-IN"), (6, "FWC-Serial0-0-IN6")):
        taken = subprocess.run([fwc, "import", "cisco", path, "--list", name], capture_output=True, text=True,
                               check=False)
        back = compiled.run(fwc, taken.stdout, "--name", "BACK")
        if not tally.check(taken.returncode == 0 and back.status == 0,
                           f"{name}: {taken.stderr[:300]} {back.first_error()}"):
            continue
        back = re.sub(r"BACK-IPV6|BACK", name, back.text)
        is_same, packet = mutants.same_meaning(ALWAYS.sub("", text), ALWAYS.sub("", back), (family, name))
        tally.check(is_same, f"{name} as a policy, and back: differs for {packet}")


def check_random(tally, fwc, seed, folder):
    maker = policies.DeviceMaker(seed)
    model, device = maker.make(), maker.devices[0]
    without = compiled.run(fwc, model + device.text("none"))
    device.properties = ("object-groups ios-xe;",)
    done = compiled.run(fwc, model + device.text("none"))
    tally.check(done.status == without.status, f"seed {seed}: {done.first_error()}")
    if done.status != 0 or len(without.text.splitlines()) > 400:
        return 0
    check_places(tally, f"seed {seed}", done.text, True)
    check_twins(tally, f"seed {seed}", done.text, without.text)
    check_unchanged(tally, fwc, f"seed {seed}", model + device.text("none"), done.text, folder)
    return len(grouped(done.text))


def check_many(tally, fwc):
    rules = "".join(f"allow {port}/tcp, {port}/udp from 10.0.{port % 256}.0/24 to 192.168.0.{port % 256};\n"
                    for port in range(1000, 1000 + GROUPED_MOST + 8))
    for count in (GROUPED_MOST // 3, GROUPED_MOST + 8):
        text = SITE % "object-groups yes;" + "".join(rules.splitlines(True)[:count])
        found = len(grouped(lists_text(compiled.run(fwc, text, "--redact").text, "FWC-Serial0-0-IN")))
        tally.check(found > count // 2 if count < GROUPED_MOST else found == 0,
                    f"{count} rules: {found} entries with groups")


def lists_text(text, name):
    return "\n".join(lists_of(text).get((4, name), []))


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("fwc")
    parser.add_argument("--policies", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    tally, entries = Tally(), 0
    with tempfile.TemporaryDirectory() as folder:
        check_site(tally, options.fwc, folder)
        check_many(tally, options.fwc)
        for seed in range(options.seed, options.seed + options.policies):
            entries += check_random(tally, options.fwc, seed, folder)
    print(f"{options.policies} random policies: {entries} entries with groups")
    tally.check(entries > 0, "random policies have groups")
    tally.close()


if __name__ == "__main__":
    main()
