"""What comes back is what was there, attribute by attribute, whoever made it."""

import os
import random
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
STATE = os.path.join(os.path.dirname(HERE), "kernel", "kernel_state.py")

BY_HAND = """table inet fwc {
\tcounter seen { packets 7 bytes 420 }
\tquota gone { over 25 mbytes used 2 mbytes }
\tlimit slow { rate 10/second burst 7 packets }
\tct helper tftp-standard { type "tftp" protocol udp; l3proto inet; }
\tset singles { type ipv4_addr; comment "by hand"; elements = { 10.0.0.1, 10.0.0.2 comment "two" } }
\tset ranges { type ipv4_addr; flags interval; elements = { 10.1.0.0/16, 10.3.0.5-10.3.0.9 } }
\tset fast { type ipv4_addr; flags dynamic,timeout; timeout 1h; size 1000; }
\tset pairs { type ipv4_addr . inet_service; flags interval; elements = { 10.0.0.0/8 . 80-90, 1.2.3.4 . 22 } }
\tmap ways { type inet_service : verdict; elements = { 22 : jump extra, 80 : accept, 443 : goto extra } }
\tmap spans { type ipv4_addr : verdict; flags interval; elements = { 10.5.0.0/16 : jump extra } }
\tmap counted { type inet_service : counter; elements = { 8080 : "seen" } }
\tchain extra {
\t\tcomment "a chain of somebody"
\t\tcounter packets 3 bytes 180 accept
\t}
\tchain first {
\t\ttype filter hook input priority -5; policy drop;
\t\tct state { established, related } accept
\t\tip saddr { 10.9.0.0/24, 10.8.0.7 } tcp dport { 22, 80-90 } counter packets 1 bytes 2 accept
\t\ttcp dport vmap { 1 : accept, 2 : jump extra, 3-9 : drop }
\t\ttcp dport vmap @ways
\t\tip saddr vmap @spans
\t\tip saddr . tcp dport @pairs accept
\t\tip saddr @singles log prefix "singles " group 3 drop
\t\tip saddr != @ranges limit name "slow" accept comment "a rule of somebody"
\t\tquota name "gone" drop
\t\tct state new ct helper set "tftp-standard"
\t\tcounter name tcp dport map @counted
\t\tupdate @fast { ip saddr limit rate over 3/second } drop
\t\tudp dport 53 limit rate 5/minute burst 9 packets reject with icmpx admin-prohibited
\t\tmeta day "Monday" meta mark set 0x7 return
\t\tjump { tcp dport 99 drop; accept; }
\t}
\tchain second {
\t\ttype nat hook postrouting priority 100; policy accept;
\t\toifname "eth*" masquerade random
\t\tip daddr 10.0.0.7 meta l4proto tcp snat ip to 10.0.0.8-10.0.0.9:1000-2000
\t}
}
"""


def state(world):
    """The listing, and the table's attributes by a reader that shares no code with fwc. In which order chains
    stand in a table means nothing, nor which numbers those without a name have, of how many digits."""
    attributes = subprocess.run([sys.executable, STATE, "fwc"], capture_output=True, text=True, check=True).stdout
    attributes = re.sub("([0-9a-f]{2}000200)?5f5f636861696e(3[0-9])+(00)+", "chain", attributes)
    blocks = world.nft("list table inet fwc").split("\n\t}\n")
    return sorted(block.strip("\n") for block in blocks) + sorted(attributes.splitlines())


def lines_that_differ(one, other):
    return "\n".join([f"- {text}" for text in sorted(set(one) - set(other))][:20] +
                     [f"+ {text}" for text in sorted(set(other) - set(one))][:20])


def comes_back(world, what):
    """A trial over what is there now, and then the same again."""
    before = state(world)
    done = world.run("apply", world.path("trial.fw", "allow ssh count; deny 10.0.0.0/8;\n".replace(
        "deny 10.0.0.0/8", "deny any from 10.0.0.0/8, 10.200.0.1-10.200.0.7")), "--confirm", "1", "--no-proof")
    world.check(done.returncode == 5, f"{what}: {done.returncode} {done.stderr[:500]}")
    after = state(world)
    world.check(before == after, f"{what}: it came back otherwise:\n{lines_that_differ(before, after)}")


def case_by_hand(world):
    """A table that somebody made, with everything that tables may hold."""
    world.nft(f"-f {world.path('hand.nft', BY_HAND)}")
    comes_back(world, "by hand")


def case_large_sets(world):
    """A set that is counted instead of read comes back whole: from the batch that made it, or, where somebody
    changed it, from the kernel."""
    if world.has_sanitizer:
        world.skip("large sets: too slow with sanitizers")
        return
    world.path("list.txt", "".join(f"10.{n >> 15}.{n >> 7 & 255}.{n << 1 & 255}\n" for n in range(66_000)))
    large = world.path("large.fw", 'network blocked = file "list.txt";\ndeny any from blocked;\nallow ssh;\n')
    other = world.path("other.fw", "allow https;\n")
    world.must("apply", large, "--confirm", "0")
    name = re.search(r"set (\S+) \{[^}]*10\.0\.0\.2,", world.rules())
    if not world.check(name is not None, "no set with the addresses"):
        return
    for what, change in (("untouched", ()), ("changed by hand", ("delete element inet fwc NAME { 10.0.0.2 }",
                                                                 "add element inet fwc NAME { 10.0.0.3 }"))):
        for command in change:
            world.nft(command.replace("NAME", name[1]))
        held = world.rules()
        world.check(("10.0.0.3," in held) == bool(change), f"{what}: the addresses are not as they should be")
        done = world.run("apply", other, "--confirm", "1")
        world.check(done.returncode == 5, f"{what}: {done.returncode} {done.stderr[:500]}")
        world.check(world.rules() == held, f"{what}: another table came back")
        world.check("the kernel holds what was applied" in world.run("status").stdout or bool(change),
                    f"{what}: status")
        world.must("apply", large, "--confirm", "0")
    done = world.start("apply", large, "--confirm", "20")
    world.check(world.wait(lambda: world.marks()[:1] == ["waiting"]), "it does not wait")
    world.must("confirm")
    done.wait()


def case_random(world):
    """Tables of random rulesets, large ones in steps."""
    build = os.path.dirname(os.path.dirname(os.path.dirname(world.fwc)))
    tool = os.path.join(build, "tests", "kernel", "model_tool")
    if not os.path.exists(tool):
        world.skip("model_tool is not built")
        return
    generator = random.Random(7)
    for model in ("both:3000", "actions", "nat", f"random:{generator.randrange(4000) * 4}"):
        world.nft("flush ruleset")
        subprocess.run([tool, "load", model], check=True, stdout=subprocess.DEVNULL)
        comes_back(world, model)
