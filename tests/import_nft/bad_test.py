"""What fwc import nft, and diff and explain through it, do with rulesets that no policy can say, with hostile
ones, and where it cannot work.

usage: bad_test.py FWC
"""

import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "packets"))

# pylint: disable=wrong-import-position
import lab

INPUT = ("table inet t {{ chain c {{ type filter hook input priority 0; policy drop;\n"
         "ct state established,related accept; iifname lo accept; meta l4proto ipv6-icmp accept;\n{}\n}}\n}}\n")
EVIL = "\x1b]0;owned\x07 \u202e <script> allow any;"



def on_hook(hook, priority, rules, family="inet", kind="filter"):
    return f"table {family} t {{ chain c {{ type {kind} hook {hook} priority {priority}; {rules}; }}; }}"


EVERY_INPUT = "ct state established,related accept; iifname lo accept; meta l4proto ipv6-icmp accept"
TWO_HOOKS = f"""table inet t {{
chain x {{ tcp dport 22 limit rate 3/minute accept; }}
chain c {{ type filter hook input priority 0; policy drop; {EVERY_INPUT}; jump x; }}
chain f {{ type filter hook forward priority 0; policy drop; ct state established,related accept; jump x; }}
}}
"""
NAMED = f"""table inet t {{
limit l {{ rate 3/minute; }}
chain c {{ type filter hook input priority 0; policy drop; {EVERY_INPUT}
tcp dport 22 limit name "l" accept
tcp dport 25 limit name "l" accept
}}
}}
"""
FILLED = """table inet t {
set s { type ipv4_addr; flags dynamic,timeout; timeout 1m; }
chain c { type filter hook input priority 0; tcp dport 22 add @s { ip saddr } drop; }
}
"""
FORGETTING = """table inet t {
set s { type ipv4_addr; flags timeout; elements = { 10.0.0.1 timeout 1h } }
chain c { type filter hook input priority 0; ip saddr @s drop; }
}
"""
HELPER = """table inet t {
ct helper h { type "ftp" protocol tcp; }
chain f { type filter hook prerouting priority filter; tcp dport 21 ct helper set "h"; }
}
"""

# name, script, words of the message; each gives nothing and 1
REFUSED = [
    ("a mark", INPUT.format("meta mark 1 accept"), "meta mark"),
    ("flags of tcp", INPUT.format("tcp flags & (fin|syn|rst|ack) == syn tcp dport 22 accept"), "tcp flags"),
    ("a pattern of interfaces", INPUT.format('iifname "eth*" tcp dport 22 accept'), "a pattern of names"),
    ("a user", on_hook("output", 0, "meta skuid 1000 drop"), "meta skuid"),
    ("a set that packets fill", FILLED, "takes the packet"),
    ("a set with a timeout", FORGETTING, "which changes"),
    ("a meter", INPUT.format("tcp dport 22 meter m { ip saddr limit rate 3/minute } accept"), "limit"),
    ("a limit in bytes", INPUT.format("tcp dport 22 limit rate 10 kbytes/second accept"), "a limit of a form"),
    ("what exceeds a limit", INPUT.format("tcp dport 22 limit rate over 3/minute drop\ntcp dport 22 accept"),
     "exceeds"),
    ("a limit of the week", INPUT.format("tcp dport 22 limit rate 3/week accept"), "a limit of a form"),
    ("a named limit", NAMED, "a limit of a form"),
    ("a limit in two hooks", TWO_HOOKS, "one limit for what takes several rules"),
    ("a copy", INPUT.format("tcp dport 22 dup to 10.0.0.1").replace("inet", "ip"), "a change of packets"),
    ("notrack", on_hook("prerouting", "raw", "udp dport 53 notrack"), "not tracked"),
    ("a change of the packet", on_hook("forward", 0, "tcp flags syn tcp option maxseg size set 1400"), "rewritten"),
    ("a mark that is set", on_hook("output", "mangle", "tcp dport 22 meta mark set 1", kind="route"),
     "a change of packets"),
    ("a helper", HELPER, "a helper for connections"),
    ("a check of the path back", on_hook("prerouting", "raw", "fib saddr . iif oif missing drop"),
     "on a hook or at a priority"),
    ("a policy of another hook", on_hook("postrouting", 0, "policy drop"), "on a hook or at a priority"),
    ("a bridge", on_hook("forward", 0, "drop", family="bridge"), "neither of IPv4 nor of IPv6"),
    ("arp", on_hook("input", 0, "arp operation request drop", family="arp"), "neither of IPv4"),
    ("a redirection", on_hook("prerouting", "dstnat", "tcp dport 80 redirect to :3128", "ip", "nat"),
     "a target or a limit that translations lack"),
    ("a range of addresses", on_hook("postrouting", "srcnat", 'oifname "e" snat to 10.0.0.1-10.0.0.9', "ip", "nat"),
     "more than one address"),
    ("random ports", on_hook("postrouting", "srcnat", 'oifname "e" masquerade random', "ip", "nat"),
     "how a source translation chooses ports"),
    ("a jump by a hash", INPUT.format("jhash ip saddr mod 2 vmap { 0 : accept, 1 : drop }"), "hash"),
    ("the first destination", INPUT.format("ct original ip daddr 10.0.0.1 accept"),
     "rules of this language do not ask"),
    ("an interface's name", INPUT.format('iifname "a b" accept'), "no zone can have the interface"),
    ("an interface's evil name", INPUT.format('iifname "\x1b]0;x\x07" accept'), "no zone can have the interface"),
    ("a header's first field", INPUT.format("ip6 nexthdr tcp tcp dport 22 accept"),
     "rules of this language do not ask"),
    ("types of ICMPv6 in IPv4", on_hook("input", 0, "meta l4proto 58 icmpv6 type 1 drop; accept"), "other family"),
]


def clean():
    return {**os.environ, "LC_ALL": "C.UTF-8"}


def start(*command, text=None):
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60)


def run(fwc, script, *options, environment=None):
    with tempfile.NamedTemporaryFile("w", suffix=".nft", encoding="utf-8") as file:
        file.write(script)
        file.flush()
        return subprocess.run([fwc, "import", "nft", file.name, *options], capture_output=True, text=True,
                              check=False, timeout=120, env=environment or clean())


def check_refused(tally, fwc):
    for name, script, words in REFUSED:
        done = run(fwc, script)
        tally.check(done.returncode == 1 and done.stdout == "" and words in done.stderr and
                    "proved" not in done.stderr and "\x1b" not in done.stderr,
                    f"{name}: {done.returncode} {done.stdout} {done.stderr}")


def check_told_once(tally, fwc):
    """What both families of a chain deny is said once."""
    done = run(fwc, on_hook("input", 0, "policy drop; tcp dport 22 accept"))
    told = [line for line in done.stderr.splitlines() if "[FW1323]" in line]
    tally.check(done.returncode == 1 and len(told) == len(set(told)) == 4, f"told once: {done.stderr}")


def check_kept_port(tally, fwc):
    """To the port that a packet has already is to no other port."""
    done = run(fwc, on_hook("prerouting", -100, "iifname eth0 tcp dport 80 dnat to 10.0.0.5:80", "ip", "nat"),
               "--always-passing")
    tally.check(done.returncode == 0 and "proved:" in done.stderr and "to 10.0.0.5;" in done.stdout,
                f"kept port: {done.stderr}")


def check_world(tally, fwc, folder):
    good = INPUT.format("tcp dport 22 accept")
    done = run(fwc, good, environment={**clean(), "PATH": folder})
    tally.check(done.returncode == 3 and "FW1209" in done.stderr and "'nft' is missing" in done.stderr, done.stderr)
    path = os.path.join(folder, "good.nft")
    with open(path, "w", encoding="utf-8") as file:
        file.write(good)
    done = start("unshare", "-rn", "sh", "-c",
                 'echo 0 > /proc/sys/user/max_user_namespaces && echo 0 > /proc/sys/user/max_net_namespaces &&'
                 ' exec "$0" import nft "$1"', fwc, path)
    tally.check(done.returncode == 3 and "FW1209" in done.stderr and "no network namespace" in done.stderr,
                done.stderr)
    done = run(fwc, "table inet t { chain c { typo } }")
    tally.check(done.returncode == 1 and "FW1330" in done.stderr and "nft: " in done.stderr and not done.stdout,
                done.stderr)
    done = start(fwc, "import", "nft", "-", text=good)
    tally.check(done.returncode == 0 and "allow ssh" in done.stdout, done.stderr)
    done = start(fwc, "import", "nft", folder + "/none")
    tally.check(done.returncode != 0 and "none" in done.stderr and not done.stdout, done.stderr)
    for options in (["--table", "inet"], ["--list", "x"], ["--table", "inet t", "kernel:"]):
        done = start(fwc, "import", "nft", path, *options)
        tally.check(done.returncode == 2, f"{options}: {done.returncode} {done.stderr}")


def check_apart(tally, fwc, laboratory):
    """Whatever a script says, the rules beside it stay."""
    laboratory.fw.must(["nft", "-f", "-"], INPUT.format("tcp dport 22 accept"))
    before = laboratory.fw.must(["nft", "list", "ruleset"])
    script = "flush ruleset\ntable inet t { chain evil { }\n}\n"
    done = laboratory.fw.run([fwc, "import", "nft", "-"], script)
    tally.check(done.returncode == 0, f"apart: {done.stderr}")
    tally.check(laboratory.fw.must(["nft", "list", "ruleset"]) == before, "a script changed the rules beside it")
    laboratory.fw.must(["nft", "flush", "ruleset"])


def check_empty(tally, fwc):
    done = run(fwc, "")
    tally.check(done.returncode == 0 and done.stdout.count("default") == 3 and done.stdout.count(" allow;") == 3,
                f"empty: {done.stdout} {done.stderr}")
    done = run(fwc, INPUT.format("tcp dport 22 accept") + on_hook("forward", 0, "drop", family="bridge"),
               "--table", "inet t")
    tally.check(done.returncode == 0 and "allow ssh" in done.stdout, f"one table: {done.stderr}")
    done = run(fwc, INPUT.format("accept"), "--table", "inet other")
    tally.check(done.returncode == 1 and "has no table 'inet other'" in done.stderr, done.stderr)


def check_hostile(tally, fwc):
    script = INPUT.format(f'tcp dport 22 accept comment "{EVIL}"\nudp dport 53 log prefix "{EVIL}" accept\n')
    done = run(fwc, script)
    rules = [line.strip() for line in done.stdout.splitlines() if line.startswith("    ")]
    tally.check(done.returncode == 0 and [rule.split('"')[0].strip() for rule in rules] ==
                ["allow 58/ip ipv4;", "allow any/icmp6;", "allow ssh because", "allow 53/udp log"] and
                all(rule.count('"') in (0, 2) for rule in rules), f"hostile: {done.stdout} {done.stderr}")
    tally.check(all(" " <= letter != "\x7f" and letter != "\u202e" or letter == "\n" for letter in done.stdout),
                f"hostile letters: {done.stdout!r}")
    policy = os.path.join(tempfile.mkdtemp(), "p.fw")
    with open(policy, "w", encoding="utf-8") as file:
        file.write(done.stdout)
    again = start(fwc, "compile", policy)
    tally.check(again.returncode == 0, f"hostile, compiled: {again.stderr}")
    shutil.rmtree(os.path.dirname(policy))


def check_questions(tally, fwc, folder):
    """Foreign filters in place of policies."""
    paths = [os.path.join(folder, name) for name in ("old.nft", "new.nft", "rules.v4")]
    for path, rule in zip(paths, ("tcp dport { 22, 80 } accept", "tcp dport 22 counter accept")):
        with open(path, "w", encoding="utf-8") as file:
            file.write(INPUT.format(rule))
    with open(paths[2], "w", encoding="utf-8") as file:
        file.write("*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
                   "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n-A INPUT -i lo -j ACCEPT\n"
                   "-A INPUT -p tcp --dport 22 -j ACCEPT\nCOMMIT\n")
    packet = "tcp 10.0.0.1:4000 -> self:80"
    for path, verdict in zip(paths, ("allow", "deny", "deny")):
        kind = "iptables" if path.endswith("v4") else "nft"
        done = start(fwc, "explain", f"{kind}:{path}", packet)
        tally.check(done.returncode == 0 and done.stdout.startswith(f"input: {verdict}") and
                    "in table inet" not in done.stdout, f"explain {path}: {done.stdout} {done.stderr}")
    done = start(fwc, "diff", "nft:" + paths[0], "nft:" + paths[1])
    tally.check(done.returncode == 1 and "newly denied (input)" in done.stdout and "http" in done.stdout and
                "newly allowed" not in done.stdout, f"diff: {done.stdout} {done.stderr}")
    made = os.path.join(folder, "made.fw")
    with open(made, "w", encoding="utf-8") as file:
        file.write(start(fwc, "import", "nft", paths[0]).stdout)
    for one, other in ((f"nft:{paths[0]}", made), (made, f"nft:{paths[0]}")):
        done = start(fwc, "diff", one, other)
        tally.check(done.returncode == 0 and not done.stdout, f"diff with itself: {done.stdout} {done.stderr}")
    done = start(fwc, "explain", f"nft:{paths[2]}", packet)
    tally.check(done.returncode == 1 and "FW1330" in done.stderr and not done.stdout, f"not nft: {done.stderr}")
    done = start(fwc, "explain", f"nft:{folder}/none", packet)
    tally.check(done.returncode != 0 and "cannot read" in done.stderr and not done.stdout, f"none: {done.stderr}")


def main():
    fwc = os.path.abspath(sys.argv[1])
    if shutil.which("nft") is None:
        print("skipped: nft is missing\n0 passed, 0 failed, 1 skipped")
        return
    lab.enter("scripts of nft")
    tally = lab.Tally()
    laboratory = lab.Lab(fwc)
    check_refused(tally, fwc)
    check_told_once(tally, fwc)
    check_kept_port(tally, fwc)
    check_empty(tally, fwc)
    check_hostile(tally, fwc)
    check_apart(tally, fwc, laboratory)
    with tempfile.TemporaryDirectory() as folder:
        check_world(tally, fwc, folder)
        check_questions(tally, fwc, folder)
    laboratory.close()
    tally.close()


if __name__ == "__main__":
    sys.exit(main())
