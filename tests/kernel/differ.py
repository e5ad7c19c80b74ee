"""fwc diff POLICY kernel: in namespaces: tables that somebody changed are told, with the packet that shows it.

    differ.py FWC

Each change is made by nft; what it does to packets is said here by hand."""

import os
import re
import subprocess
import sys
import tempfile

FWC = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else "fwc"
NAMESPACE = ["unshare", "-n" if os.geteuid() == 0 else "-rn"]
POLICY = """zone wan { interface eth0; }
zone lan { interface eth1; network 192.168.0.0/24; }
group friends = 203.0.113.7, 203.0.113.19, 203.0.113.40, 203.0.113.77, 203.0.113.101, 203.0.113.150,
	203.0.113.170, 203.0.113.200, 203.0.113.222;
host web1 = 192.168.7.10;
allow ssh from friends to self;
allow 8080/tcp from lan to self count;
allow dns from lan to self limit 10/second burst 20;
allow http from wan to web1;
reject smtp from lan to wan;
masquerade from lan to wan;
forward https from wan to web1;
"""


def run(change, order="policy.fw kernel:"):
    """The exit status, stdout and stderr of the comparison after a change to the table of the policy."""
    script = (f'cd "$DIR"; "$FWC" compile policy.fw > table.nft 2> talk || {{ cat talk; exit 90; }}; '
              f'nft -f table.nft || exit 91; {change or ":"} || exit 92; "$FWC" diff {order}')
    done = subprocess.run(NAMESPACE + ["sh", "-uc", script], text=True, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60,
                          env={**os.environ, "FWC": FWC, "DIR": DIR, "LC_ALL": "C", "NO_COLOR": "1"})
    return done.returncode, done.stdout, done.stderr


def told(change, status, *parts, order="policy.fw kernel:"):
    done = run(change, order)
    assert done[0] == status, (change, done)
    for part in parts:
        assert part in done[1] + done[2], (change, part, done)
    for words, verb in re.findall(r"(?:before:|now:   ) (\w+).*, policy\.fw:\d+: (allow|reject|forward)", done[1]):
        assert words in {"reject": ("rejected",), "allow": ("accepted",),
                         "forward": ("accepted", "translated")}[verb], (words, verb, done)
    return done[1]


def handle(chain, words):
    """A shell's words for the handle of the one rule of a chain that is written like this."""
    return f"$(nft -a list chain inet fwc {chain} | grep -F '{words}' | head -1 | sed 's/.*handle //')"


def case_the_same_table():
    for order in ("policy.fw kernel:", "kernel: policy.fw"):
        assert run("", order) == (0, "", ""), run("", order)


def case_rule_deleted():
    out = told(f"nft delete rule inet fwc forward handle {handle('forward', 'policy.fw:9')}", 1,
               "newly denied (forward, new", "http from any on eth0 to web1", "for example tcp ",
               "-> 192.168.7.10:80 in eth0",
               "before: accepted, policy.fw:9: allow http from wan to web1",
               "now:    dropped, by 'chain forward, rule ")
    assert "newly allowed" not in out and "(input" not in out, out


def case_port_changed():
    change = "nft list table inet fwc | sed 's/8080/8081/' > other.nft; nft delete table inet fwc; nft -f other.nft"
    told(change, 1, "newly allowed (input", "8081/tcp from ", "newly denied (input", "8080/tcp from ",
         "policy.fw:7: allow 8080/tcp", "the default of every policy")


def case_element_added():
    change = ("nft list table inet fwc | grep -v 'size ' | sed 's/203.0.113.19,/203.0.113.19, 203.0.113.99,/' "
              "> other.nft; nft delete table inet fwc; nft -f other.nft")
    told(change, 1, "newly allowed (input", "ssh from 203.0.113.99", "for example tcp 203.0.113.99:",
         "by 'chain ")


def case_foreign_rule():
    out = told("nft insert rule inet fwc input ip saddr 203.0.113.7 tcp dport 22 drop comment '\"stranger\"'", 1,
               "newly denied (input, new", "ssh from 203.0.113.7", "203.0.113.7:40000 -> ",
               "before: accepted, policy.fw:6:", "now:    dropped, by 'chain input, rule 1 (stranger)'",
               "newly denied (input, established):", "before: accepted, as always")
    assert "perhaps" not in out, out


def case_the_other_way_round():
    told("nft insert rule inet fwc input ip saddr 203.0.113.7 tcp dport 22 drop comment '\"stranger\"'", 1,
         "newly allowed (input, new", "before: dropped, by 'chain input, rule 1 (stranger)'",
         "now:    accepted, policy.fw:6:", order="kernel: policy.fw")


def case_interface_of_the_table_alone():
    told("nft insert rule inet fwc input iifname wg7 accept", 1, "newly allowed (input", "on wg7", "in wg7")


def case_mark():
    """A mark is not in the policy's words; that some packets have it is sure."""
    told("nft insert rule inet fwc forward meta mark 7 ip daddr 192.168.7.10 drop", 1, "newly denied (forward",
         "not all of these: it depends on meta mark")


def case_nobody_can_tell():
    out = told("nft insert rule inet fwc input quota over 10 mbytes drop", 2, "perhaps newly denied (input",
               "it depends on chain input, rule 1, expression 1: quota", "FW0907")
    assert all(not line.startswith("newly") for line in out.splitlines()), out


def case_limit():
    told("nft list table inet fwc | sed 's/rate 10/rate 11/' > other.nft; nft delete table inet fwc; "
         "nft -f other.nft", 1, "limited differently (input", "dns from lan to self", "policy.fw:8:")


def case_counters():
    """Of a rule with a limit, too, which stays what it is."""
    change = '"$FWC" compile --count policy.fw > other.nft 2> talk; nft delete table inet fwc; nft -f other.nft'
    out = told(change, 1, "logged, counted or followed differently (input", "dns from lan to self", "policy.fw:8:")
    assert "limited differently" not in out, out
    change += "; sed 's/rate 10/rate 11/' other.nft > limit.nft; nft delete table inet fwc; nft -f limit.nft"
    out = told(change, 1, "limited differently (input", "dns from lan to self")
    assert "dns from lan" not in out[:out.index("limited differently")], out


def case_log():
    told("nft insert rule inet fwc forward ip daddr 192.168.7.10 log prefix '\"seen \"'", 1,
         "logged, counted or followed differently (forward", "logged as 'seen '")


def case_translation():
    told("nft flush chain inet fwc postrouting_nat", 1, "treated differently (hook postrouting, translation)",
         "masqueraded, policy.fw:11")


def case_no_table():
    told("nft delete table inet fwc", 1, "the kernel has no table inet fwc", "newly allowed (input")


def case_no_translation_without_a_connection():
    """What a forward admits is admitted of connections; untracked packets are the default's, and told as such."""
    for change in ("nft delete table inet fwc", "nft insert rule inet fwc forward accept"):
        told(change, 1, "newly allowed (forward")


def case_names_of_interfaces():
    told("nft insert rule inet fwc input iifname '\"wg*\"' tcp dport 99 accept", 1, "newly allowed (input",
         "99/tcp from any on others to self", "it depends on in interface")


def case_mistakes():
    told("echo 'allow nothing-known;' > bad.fw", 2, "bad.fw:1", order="bad.fw kernel:")
    told("", 2, "one side", order="kernel: kernel:")


def is_able():
    done = subprocess.run(NAMESPACE + ["nft", "list", "ruleset"], stdin=subprocess.DEVNULL, capture_output=True)
    return done.returncode == 0


def main():
    passed = failed = 0
    if not is_able():
        print("no namespaces or no nf_tables here")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    for name, function in sorted(globals().items()):
        if not name.startswith("case_"):
            continue
        try:
            function()
            passed += 1
        except (AssertionError, subprocess.TimeoutExpired) as problem:
            failed += 1
            print(f"{name[5:].replace('_', ' ')}: {problem}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        with tempfile.TemporaryDirectory() as DIR:
            with open(os.path.join(DIR, "policy.fw"), "w", encoding="utf-8") as policy_file:
                policy_file.write(POLICY)
            sys.exit(main())
    except FileNotFoundError as missing:
        print(missing)
        print("0 passed, 0 failed, 1 skipped")
