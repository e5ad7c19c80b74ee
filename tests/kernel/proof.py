"""The proof against the kernel, against mutants, and against tables that somebody changed.

    proof.py FWC [--mutants N] [--policies N] [PART OF A NAME]

What is read back of the messages is what the kernel dumps after nft loaded the text, and after fwc
loaded the messages. Small changes of tables are caught with a packet that a small machine, which runs
rules one packet at a time, sees treated otherwise, or mean the same. proof_tool stands in FWC's build."""

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("fwc")
    parser.add_argument("wanted", nargs="?", default="")
    parser.add_argument("--mutants", type=int, default=int(os.environ.get("FWC_MUTANTS", "200")))
    parser.add_argument("--policies", type=int, default=80)
    return parser.parse_intermixed_args()


ASKED = arguments()
FWC = os.path.abspath(ASKED.fwc)
BUILD = os.path.dirname(os.path.dirname(os.path.dirname(FWC)))
TOOL = os.path.join(BUILD, "tests", "kernel", "proof_tool")
MODELS = os.path.join(BUILD, "tests", "kernel", "model_tool")
NAMESPACE = ["unshare", "-n" if os.geteuid() == 0 else "-rn"]
PREFIXES = 4000 # of a long list


def run(command, namespace=None):
    return subprocess.run((NAMESPACE if namespace is None else namespace) + ["sh", "-euc", command], cwd=TOP,
                          text=True, errors="replace", stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=300, env={**os.environ, "FWC": FWC,
                               "OPTIONS": f"--state {DIR.name}/state --confirm 0", "TOOL": TOOL, "MODELS": MODELS,
                                            "DIR": DIR.name, "LC_ALL": "C", "NO_COLOR": "1"})


def output(command, namespace=None):
    done = run(command, namespace)
    assert done.returncode == 0, f"{command}\nstatus {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-1000:]}"
    return done.stdout


def is_for_a_host(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return not re.search(r"^device ", file.read(), re.M)


def examples():
    """Those that become tables: policies of devices are for routers."""
    paths = [os.path.join("examples", name) for name in os.listdir(os.path.join(TOP, "examples"))]
    return sorted(path for path in paths if path.endswith(".fw") and is_for_a_host(path))


def same_reading(table, text):
    """The messages read back, the kernel's dump behind nft -f, and behind a load: all the same."""
    made = output(f'"$TOOL" reading {table}', [])
    assert len(made.splitlines()) > 1 or table == "empty", made
    for how in (f'{text} > "$DIR/text.nft"; nft -f "$DIR/text.nft"; "$TOOL" dump fwc', f'"$TOOL" load {table}'):
        dumped = output(how)
        for number, (one, other) in enumerate(zip(made.splitlines(), dumped.splitlines()), 1):
            assert one == other, f"{how}: line {number}:\n  {one[:300]}\n  {other[:300]}"
        assert len(made.splitlines()) == len(dumped.splitlines()), how


def case_reading_of_examples():
    for policy in examples():
        same_reading(f"policy:{policy}", f'"$FWC" compile --date 2026-11-21 {policy}')


def case_reading_of_models():
    for model in output('"$MODELS" names', []).split():
        same_reading(model, f'"$MODELS" text {model}')


def case_reading_of_random_policies():
    seeds = (0, 1, 2, 4, 5, 6, 8, 9, 10) + ((3, 7) if os.geteuid() == 0 else ())
    for seed in seeds[:max(3, ASKED.policies // 7)]:
        same_reading(f"random:{seed}", f'"$MODELS" text random:{seed}')


def case_random_policies_are_proved():
    for seed in range(ASKED.policies):
        told = output(f'"$TOOL" prove random:{seed} 2> "$DIR/time"', [])
        assert told.startswith("equal: 3 hooks"), told


def mutants_of(policy, count, seed, weight=0):
    told = output(f'"$TOOL" mutants {policy} {count} {seed} {weight}', [])
    print(f"{policy}: {told.splitlines()[-1]}")
    caught, unclear, senseless, same, false, missed = map(int, re.findall(r"(?<=[:,] )\d+", told.splitlines()[-1]))
    assert false == 0 and missed == 0, told
    assert caught + unclear + senseless + same == count and (count < 100 or caught > count / 8), told


def case_mutants_of_examples():
    for number, policy in enumerate(examples()):
        mutants_of(f"policy:{policy}", ASKED.mutants, number + 1)


def case_mutants_of_random_policies():
    for seed in (1, 2, 5, 6, 9, 13, 17, 21):
        mutants_of(f"random:{seed}", ASKED.mutants // 2, seed)


def case_mutants_of_special_policies():
    for name, text in (("stateless", STATELESS), ("mixed", MIXED), ("parts", PARTS), ("flows", FLOWS),
                       ("boxes", BOXES)):
        with open(os.path.join(DIR.name, name + ".fw"), "w", encoding="utf-8") as file:
            file.write(text)
        mutants_of(f"policy:{DIR.name}/{name}.fw", ASKED.mutants, 3)
        mutants_of(f"policy2:{DIR.name}/{name}.fw", max(4, ASKED.mutants // 8), 4)  # --optimise 2


def case_mutants_of_words():
    """Addresses of IPv6 that are compared word by word."""
    with open(os.path.join(DIR.name, "words.fw"), "w", encoding="utf-8") as file:
        file.write(WORDS)
    mutants_of(f"policy2:{DIR.name}/words.fw", ASKED.mutants, 5)


def case_mutants_in_pieces():
    """Each proved as a whole and piece by piece: of random policies, of a large table of pairs, of a long list, of
    five-tuples that leave something open."""
    for seed in (1, 5, 9):
        mutants_of(f"random:{seed}", max(4, ASKED.mutants // 8), seed, 20)
    generator = random.Random(7)
    services = ("http", "https", "ssh", "dns", "ntp", "ldap", "smb", "syslog", "snmp")
    pairs = "".join(f"{'deny' if generator.random() < 0.1 else 'allow'} "
                    f"{', '.join(generator.sample(services, generator.randrange(1, 5)))} "
                    f"from 10.{generator.randrange(256)}.{generator.randrange(256)}.0/24 "
                    f"to 172.{generator.randrange(16, 32)}.{generator.randrange(64)}.0/24;\n" for _ in range(2000))
    prefixes = "\n".join(f"{value >> 16 & 127 | 1}.{value >> 8 & 255}.{value & 255}.{'0/24' if value & 1 else 7}"
                         for value in generator.sample(range(1 << 24), PREFIXES))
    tuples = "".join(five_tuple(generator) for _ in range(400))
    blocked = 'network blocked = file "list.txt";\ndeny any from blocked;\nallow https;\n'
    for name, text, weight in (("pairs", pairs, 5000), ("tuples", tuples, 600), ("list", blocked, PREFIXES // 7)):
        with open(os.path.join(DIR.name, "list.txt"), "w", encoding="utf-8") as file:
            file.write(prefixes + "\n")
        with open(os.path.join(DIR.name, name + ".fw"), "w", encoding="utf-8") as file:
            file.write(text)
        mutants_of(f"policy:{DIR.name}/{name}.fw", max(4, ASKED.mutants // 12), 3, weight)


def five_tuple(generator):
    """A rule of few networks, inside each other or crossing, each side sometimes left out."""
    family, ports = generator.randrange(2), generator.choice(("80", "443", "53", "1-1023", "8000-8999", "any"))
    sides = []
    for word, first in (("from", 16), ("to", 48)):
        place = first + generator.randrange(16), generator.randrange(8), generator.randrange(4)
        network = ("{}.0.0.0/8", "{}.{}.0.0/16", "{}.{}.{}.0/24", "{}.{}.{}.9") if family == 0 else (
            "fd{:02x}::/16", "fd{:02x}:{}::/32", "fd{:02x}:{}:{}::/48", "fd{:02x}:{}:{}::9")
        if generator.random() < 0.8:
            sides.append(f"{word} {generator.choice(network).format(*place)}")
    verdict = generator.choice(("allow", "allow", "deny"))
    return f"{verdict} {ports}/{generator.choice(('tcp', 'udp'))} {' '.join(sides)};\n"


# Hosts, whole words, halves of them, masked ones, ranges; of source, of destination, of both.
WORDS = """default deny;
default output deny;
allow 8001/tcp from fd00:1:2:3:4:5:6:7 to fd00:1:2:4::/62;
deny 8002/tcp from fd00:1:2::/48;
allow 8002/tcp from fd00:1::/36 to fd00:1:2:3:4:5:6:8;
allow 8003/tcp from fd00:1:2:3::7-fd00:1:2:9::8 to fd00:5::/32;
"""

# Hours, days, helpers, limits, translations, rejects.
MIXED = """zone lan { interface eth1; network 192.168.0.0/24, fd00:1::/64; }
zone wan { interface eth0; network internet; }
host web = 192.168.0.80, fd00:1::80;
schedule work = mon-fri 08:00-18:00, sat 09:00-12:00;
allow ftp from lan to wan during work;
allow ssh from lan to self limit 6/minute per source count;
forward 2222/tcp from wan to web port 22;
forward https, http from wan at 203.0.113.7 to web ipv4;
masquerade from lan to wan ipv6;
snat from web to wan as 203.0.113.7;
allow sip from lan to wan until 2026-12-31;
reject smtp from lan to wan log "mail" count;
allow 8/icmp limit 5/second burst 9;
default deny log;
default output reject;
"""
STATELESS = """zone lan { interface eth1; network 192.168.0.0/24, fd00:1::/64; }
zone wan { interface eth0; network internet; }
allow ssh from lan to self;
allow dns, 67-68/udp sport 67 from lan to self stateless;
allow 8/icmp, 128/icmp6 from wan to self stateless;
allow ntp from self to 192.0.2.1 stateless;
allow dns from lan to 192.0.2.53 stateless;
allow https from lan to wan;
"""
# A map of source, destination, protocol and port; behind it one of the two addresses.
FLOWS = "".join(f"{'deny' if rule % 3 == 1 else 'allow'} {20 + 7 * rule + pair}/tcp, {53 + 9 * rule}/udp "
                f"from 10.{pair}.0.0/24 to 192.0.2.{16 * pair}/28;\n" +
                (f"allow 1000-{2000 + pair}/tcp from 10.{pair}.0.0/24 to 192.0.2.{16 * pair}/28;\n"
                 if pair % 3 == rule == 0 else "")
                for rule in range(6) for pair in range(8))
# Ranges that no one field tells apart: a map of boxes.
BOXES = "".join(f"{'allow' if rule % 6 else 'deny'} "
                f"{1000 + rule * 11 % 60 * 500}-{5900 + rule * 11 % 60 * 500}/tcp "
                f"from 10.{rule * 37 % 60}.3.7-10.{rule * 37 % 60 + 1}.200.9 "
                f"to 172.16.{rule * 23 % 60}.5-172.16.{rule * 23 % 60 + 1}.77;\n" for rule in range(60))
# Maps of the leading bits of IPv6 addresses, whose keys are words of the header by their places.
PARTS = "".join(f"allow {80 + number}/tcp from 2a06:db8:1:{number:x}::/64 to 2001:db8:{number % 3}::/48;\n"
                f"allow any/udp from 2a11:db8:{number * 16:x}::/60;\nallow any/tcp to 198.51.100.{number}/32;\n"
                for number in range(12))


def verdict_of(change, status, *words):
    """Status and words of `verify` after a change of the applied table."""
    done = run(f'"$FWC" apply $OPTIONS examples/small-office.fw 2> "$DIR/talk"; {change}; set +e; '
               '"$FWC" verify examples/small-office.fw; echo "status $?"')
    assert f"status {status}" in done.stdout, (change, done.stdout, done.stderr)
    for word in words:
        assert word in done.stderr, (change, word, done.stderr)


def case_verify_equal():
    verdict_of("true", 0, "verified: the kernel's table inet fwc equals the policy, 5 hooks")
    verdict_of('"$FWC" apply $OPTIONS examples/small-office.fw 2> "$DIR/talk"', 0, "verified")


def case_verify_changed():
    packet = "this packet shows it: "
    verdict_of("nft flush chain inet fwc forward", 1, "FW0906", "hook forward", packet, "accepted")
    verdict_of("nft insert rule inet fwc input tcp dport 23 accept", 1, "port 23", "by the table it is accepted")
    verdict_of("nft insert rule inet fwc input meta mark 7 drop", 1, "where meta mark is 7",
               "by the table it is dropped")
    verdict_of("nft insert rule inet fwc input meta skuid 0 accept", 1, "meta skuid is known")
    verdict_of("nft insert rule inet fwc input tcp dport 22 tcp option maxseg size 1-100 accept", 1, "exthdr")
    verdict_of("nft insert rule inet fwc forward numgen random mod 2 0 accept", 1, "numgen")
    verdict_of("nft insert rule inet fwc forward ip dscp 5 accept", 1, "byte 1 of the header of ip")
    verdict_of("nft insert rule inet fwc forward limit rate 5/second accept", 1, "within the limit")
    verdict_of("nft insert rule inet fwc forward counter", 1, ", counted\n")
    verdict_of("nft insert rule inet fwc forward counter log", 1, "dropped, logged, logged as", ", counted\n")
    verdict_of("nft add chain inet fwc other '{ type filter hook forward priority 7; policy drop; }'", 1,
               "hook forward", "by the table it is dropped")
    verdict_of("nft add chain inet fwc other '{ type route hook output priority 7; policy drop; }'", 1,
               "rerouting")
    verdict_of("nft insert rule inet fwc postrouting_nat oifname eth0 masquerade", 1, "translation",
               "masqueraded")


def case_verify_own_translations():
    """What the firewall sends to its own address and translates is not loopback, though output is told so."""
    with open(os.path.join(DIR.name, "own.fw"), "w", encoding="utf-8") as file:
        file.write("host web1 = 172.16.0.10;\ndeny https from 80.1.0.2 to web1;\n"
                   "forward https from any to web1;\n")
    for change, status, said in (
            ("true", 0, "verified"),
            ("nft insert rule inet fwc loopback accept", 1, "out by lo"),
            ("nft flush chain inet fwc loopback; nft add rule inet fwc loopback accept", 1,
             "destination translated 1"),
            ("nft flush chain inet fwc loopback", 1, "by the policy it is accepted, as always")):
        done = run(f'"$FWC" apply $OPTIONS "$DIR/own.fw" 2> "$DIR/talk"; {change}; set +e; '
                   '"$FWC" verify "$DIR/own.fw"; echo "status $?"')
        assert f"status {status}" in done.stdout and said in done.stderr, (change, done.stdout, done.stderr)


def case_verify_log_group():
    """Log lines that go elsewhere are a difference."""
    done = run('"$FWC" apply $OPTIONS --log-group 5 examples/small-office.fw; set +e; '
               '"$FWC" verify --log-group 5 examples/small-office.fw; echo "status $?"; '
               '"$FWC" verify --log-group 6 examples/small-office.fw; echo "status $?"; '
               '"$FWC" verify examples/small-office.fw; echo "status $?"')
    assert re.findall("status (.)", done.stdout) == ["0", "1", "1"], (done.stdout, done.stderr)
    assert "logged as 'group 5: fwc:" in done.stderr, done.stderr


def case_verify_names_the_options():
    """Those that the table was made with, where it is the policy's with them, and else none."""
    words = "it is what the policy gives "
    for made, given, missing in (("--count", "", "with '--count'"), ("--log-group 5", "", "with '--log-group 5'"),
                                 ("--count --log-group 5", "--log-group 6",
                                  "with '--log-group 5' and with '--count'"),
                                 ("--count --log-group 5", "--count", "with '--log-group 5'"),
                                 ("--count --log-group 5", "--log-group 5", "with '--count'"),
                                 ("", "--log-group 5", "without '--log-group'"),
                                 ("", "--count", "without '--count'"),
                                 ("", "--count --log-group 5", "without '--log-group' and without '--count'"),
                                 ("--count", "--log-group 5", "without '--log-group' and with '--count'"),
                                 ("--log-group 5", "--count", "with '--log-group 5' and without '--count'")):
        done = run(f'"$FWC" apply $OPTIONS {made} examples/small-office.fw 2> "$DIR/talk"; set +e; '
                   f'"$FWC" verify {given} examples/small-office.fw; echo "status $?"; '
                   'nft insert rule inet fwc input tcp dport 23 accept; '
                   f'"$FWC" verify {given} examples/small-office.fw; echo "status $?"')
        assert done.stdout.count("status 1") == 2, (made, given, done.stdout, done.stderr)
        assert re.findall(words + "(.*): use", done.stderr) == [missing], (made, given, done.stderr)


def case_verify_refused():
    """A policy that does not compile is not compared."""
    done = run('set +e; printf "allow ssh to self; assert deny ssh to self;" | "$FWC" verify -; echo "status $?"')
    assert "status 1" in done.stdout and "FW0906" not in done.stderr and "FW0805" in done.stderr, done.stderr


def case_verify_senseless():
    verdict_of("nft add table inet fwc '{ flags dormant; }'", 1, "FW0908", "dormant")
    verdict_of("nft delete table inet fwc", 1, "FW0906", "has no table inet 'fwc'")


# What other programs write, a rule each: kernels without one of these modules refuse it.
FOREIGN = {
    "exthdr": "tcp option maxseg size 1-100 drop",
    "numgen": "numgen random mod 3 1 drop",
    "hash": "jhash ip saddr mod 7 2 drop",
    "quota": "quota over 10 mbytes drop",
    "connlimit": "ct count over 20 drop",
    "queue": "tcp dport 4242 queue num 7",
    "synproxy": "tcp dport 80 synproxy mss 1460 wscale 7 timestamp",
    "socket": "socket transparent 1 accept",
    "rt": "rt classid 5 accept",
    "limit": "limit rate over 5/second drop",
    "dynset": "update @seen { ip saddr limit rate 5/second } accept",
    "fib": "fib saddr . iif oif missing drop",
    "osf": 'osf name "Linux" accept',
    "tproxy": "tcp dport 80 tproxy to :80",
    "last": "last",
    "byteorder": "meta mark > 5 drop",
}
OTHERS = """table ip one {
  set seen {
    type ipv4_addr
    flags dynamic,timeout
    timeout 1m
  }
  chain a {
    type filter hook input priority 5; policy accept;
  }
}
table ip6 two {
  chain a {
    ip6 saddr ::1 drop
  }
}
table bridge three {
  chain a {
    ether saddr 00:11:22:33:44:55 drop
  }
}
table arp four {
  chain a {
    arp operation request drop
  }
}
table inet five {
  map m {
    type ipv4_addr : mark
    elements = { 10.0.0.1 : 7 }
  }
  chain a {
    meta mark set ip saddr map @m
  }
}
"""


def case_verify_other_tables():
    """Other programs' tables are read, whatever they hold, and are no part of the answer."""
    with open(os.path.join(DIR.name, "other.nft"), "w", encoding="utf-8") as file:
        file.write(OTHERS)
    load = 'nft -f "$DIR/other.nft"'
    verdict_of(load, 0, "verified")
    rules = "; ".join(f"nft add rule ip one a '{rule}' 2> \"$DIR/talk\" && echo loaded {name} || true"
                      for name, rule in FOREIGN.items())
    told = output(f'{load}; {rules}; "$TOOL" dump "*"')
    for table in ("table 2 one", "table 10 two", "table 7 three", "table 3 four", "table 1 five"):
        assert table in told, (table, told)
    loaded = re.findall(r"^loaded (\w+)$", told, re.M)
    assert len(loaded) >= 8, loaded
    for name in loaded:
        assert f"[ {name} " in told, (name, told)


def case_verify_foreign_rules():
    """None of them is passed over: put into the table, each makes a difference or is said to be unclear."""
    for name, rule in FOREIGN.items():
        done = run(f'"$FWC" apply $OPTIONS examples/small-office.fw 2> "$DIR/talk"; '
                   f"nft add set inet fwc seen '{{ type ipv4_addr; flags dynamic,timeout; timeout 1m; }}'; "
                   f"nft insert rule inet fwc input '{rule}' || exit 77; set +e; "
                   '"$FWC" verify examples/small-office.fw; echo "status $?"')
        if done.returncode == 77 or name == "last":
            continue
        assert "status 1" in done.stdout and "FW0906" in done.stderr, (name, done.stdout, done.stderr)


def case_verify_rights():
    drop = "setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all" if os.geteuid() == 0 else ""
    done = run(f'set +e; {drop} "$FWC" verify examples/server.fw; echo "status $?"', [])
    if "status 126" in done.stdout or "status 127" in done.stdout:
        return "cannot run the program as another user here"
    assert "status 3" in done.stdout and "FW1002" in done.stderr, (done.stdout, done.stderr)
    return None


def case_proof_line():
    """The digits are those of what is printed; --no-proof says so in the text and after a load."""
    done = run('"$FWC" compile examples/server.fw', [])
    digits = re.search(r"^proved: this table equals the policy, 3 hooks, \d+ rules, sha256 (\w{64})$",
                       done.stderr, re.M)
    with open(os.path.join(DIR.name, "text.nft"), "w", encoding="utf-8") as file:
        file.write(done.stdout)
    assert output('sha256sum < "$DIR/text.nft"', []).split()[0] == digits.group(1)
    done = run('"$FWC" apply $OPTIONS --no-proof examples/server.fw', None)
    assert done.returncode == 0 and "not proved" in done.stderr and "proved:" not in done.stderr, done.stderr


def is_able():
    probe = run("nft add table inet probe && nft list ruleset")
    return probe.returncode == 0 and "probe" in probe.stdout


def needs_kernel(name):
    return "verify" in name or "reading" in name or name == "case_proof_line"


def main():
    passed = failed = skipped = 0
    able = is_able()
    if not able and os.environ.get("FWC_REQUIRE_KERNEL"):
        print("0 passed, 1 failed")
        sys.exit(1)
    for name, function in sorted(globals().items()):
        if not name.startswith("case_") or ASKED.wanted not in name:
            continue
        try:
            reason = "no namespaces or no nf_tables here" if needs_kernel(name) and not able else function()
            skipped += bool(reason)
            passed += not reason
            if reason:
                print(f"{name[5:]}: skipped: {reason}")
        except (AssertionError, AttributeError, IndexError, ValueError, subprocess.TimeoutExpired) as problem:
            failed += 1
            print(f"{name[5:].replace('_', ' ')}: {problem}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        class DIR:
            name = folder
        os.chmod(folder, 0o755)
        main()
