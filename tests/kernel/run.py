"""The kernel's view of what fwc writes: text for nft and netlink messages give one state.

    run.py FWC [--rulesets N] [PART OF A NAME]

FWC is the built program; model_tool, which loads tables made by hand, stands in its build. Each
case runs in a network namespace of its own. Where the kernel or the machine has no
namespaces or no nf_tables, everything is skipped."""

import argparse
import errno
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
STATE = os.path.join(HERE, "kernel_state.py")


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("fwc")
    parser.add_argument("wanted", nargs="?", default="")
    parser.add_argument("--rulesets", type=int, default=60, help="seeds of random rulesets")
    return parser.parse_intermixed_args()


ASKED = arguments()
FWC = os.path.abspath(ASKED.fwc)
BUILD = os.path.dirname(os.path.dirname(os.path.dirname(FWC)))
TOOL = os.path.join(BUILD, "tests", "kernel", "model_tool")
# the chain that says what was applied is not the ruleset's
UNMARKED = ('for chain in $(nft list ruleset | grep -Eo "applied_[0-9]+(.s[0-9]+)?"); '
            'do nft delete chain inet fwc "$chain"; done')
LISTED = f'{UNMARKED}; nft -s list ruleset && python3 "$STATE" fwc'
APPLY = '"$FWC" apply --state "$DIR/state" --confirm 0'


# Root's own namespace lets nft raise its socket buffer; without root there is a user namespace.
OWN_NAMESPACE = ["unshare", "-n" if os.geteuid() == 0 else "-rn"]
USER_NAMESPACE = ["unshare", "-rn"]


def run(command, namespace=None, **environment):
    """A shell command, in a namespace of its own; TOOL, FWC, STATE and DIR are set."""
    full = (OWN_NAMESPACE if namespace is None else namespace) + ["sh", "-euc", command]
    return subprocess.run(full, cwd=TOP, text=True, errors="replace", stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=300,
                          env={**os.environ, "TOOL": TOOL, "FWC": FWC, "STATE": STATE,
                               "DIR": DIR.name, "LC_ALL": "C", **environment})


def output(command, **environment):
    done = run(command, **environment)
    assert done.returncode == 0, f"{command}\nstatus {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def difference(one, other):
    for number, (left, right) in enumerate(zip(one.splitlines(), other.splitlines()), 1):
        if left != right:
            return f"line {number}:\n  {left[:400]}\n  {right[:400]}"
    return f"{len(one.splitlines())} lines, {len(other.splitlines())} lines"


def same(one, other):
    assert one == other, difference(one, other)


def models():
    return subprocess.run([TOOL, "names"], text=True, capture_output=True, check=True).stdout.split()


def is_for_a_host(path):
    """A policy with devices is for those."""
    with open(path, encoding="utf-8") as file:
        return not any(line.startswith("device ") for line in file)


def examples():
    folder = os.path.join(TOP, "examples")
    paths = [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".fw")]
    return sorted(filter(is_for_a_host, paths))


def case_text_and_messages(model):
    """nft -f of the text, and the messages, give the same listing, bytecode and attributes."""
    by_text = output(f'"$TOOL" text {model} > "$DIR/text.nft"; nft -f "$DIR/text.nft"; {LISTED}')
    by_messages = output(f'"$TOOL" load {model}; {LISTED}')
    assert model == "empty" or len(by_text.splitlines()) > 20
    same(by_text, by_messages)


def case_bytecode(model):
    """Bytecode printed without a kernel is what nft makes of the text."""
    made = output(f'"$TOOL" text {model} > "$DIR/text.nft"; nft --debug=netlink -f "$DIR/text.nft"')
    printed = output(f'"$TOOL" bytecode {model}')

    def expressions(text):
        return [line for line in text.splitlines() if line.startswith("  [")]

    # the text has the base chains first
    same("\n".join(sorted(expressions(made))), "\n".join(sorted(expressions(printed))))


def case_example(policy):
    """A policy compiled and loaded by nft, and applied by fwc, give the same state."""
    by_text = output(f'"$FWC" compile "{policy}" --target nft > "$DIR/text.nft"; '
                     f'nft -f "$DIR/text.nft"; {LISTED}')
    by_apply = output(f'{APPLY} "{policy}" 2> "$DIR/talk"; {LISTED}')
    same(by_text, by_apply)
    same(by_text, output(f'{APPLY} "{policy}" 2> "$DIR/talk"; nft -f "$DIR/text.nft"; '
                         f'{APPLY} "{policy}" 2> "$DIR/talk"; '
                         f'{APPLY} "{policy}" 2> "$DIR/talk"; {LISTED}'))


def case_twice():
    """Loading again changes nothing and leaves nothing behind."""
    once = output(f'"$TOOL" load both:300; {LISTED}')
    same(once, output(f'for i in 1 2 3; do "$TOOL" load both:300; done; {LISTED}'))
    same(once, output(f'"$TOOL" load sets; "$TOOL" load actions; "$TOOL" load nat; '
                      f'"$TOOL" load empty; "$TOOL" load both:300; {LISTED}'))
    same(once, output(f'"$TOOL" load both:300 9000 > "$DIR/out"; "$TOOL" load both:300; {LISTED}'))
    # nft's own buffer is too small for more in a user namespace
    same(output(f'"$TOOL" load both:90; {LISTED}'),
         output(f'"$TOOL" text both:90 > "$DIR/text.nft"; nft -f "$DIR/text.nft"; '
                f'nft -f "$DIR/text.nft"; {LISTED}'))


def chains_of(listing):
    """name: its lines, of the chains, sets and maps of a listing."""
    found = {}
    for block in re.findall(r"^\t(?:chain|set|map) (\S+) \{\n(.*?)^\t\}", listing, re.S | re.M):
        found[block[0]] = [line for line in block[1].splitlines() if " hook " not in line]
    return found


def case_random():
    """What fwc makes of random rulesets: text and messages give one state."""
    for seed in range(ASKED.rulesets):
        if (seed % 4 > 1 and os.geteuid() != 0) or (seed % 4 == 3 and seed > 8):
            continue  # too large for nft's socket in a user namespace; large, a few will do
        both = output(f'"$TOOL" text random:{seed} > "$DIR/text.nft"; nft -f "$DIR/text.nft"; {LISTED}; '
                      f'echo =====; nft delete table inet fwc; "$TOOL" load random:{seed}; {LISTED}')
        by_text, by_messages = both.split("=====\n")
        assert by_text == by_messages, f"random:{seed}: {difference(by_text, by_messages)}"


# Behind fwc's chain another table counts what arrives, and drops it: no socket can lose any.
ARRIVALS = """table ip arrivals {
\tcounter closed { }
\tcounter open { }
\tchain arriving {
\t\ttype filter hook input priority 10;
\t\tudp dport 9 counter name closed drop
\t\tudp dport 10 counter name open drop
\t}
}
"""
TRAFFIC = """python3 - <<'END'
import os, socket, subprocess, threading
tool, done, sent = os.environ["TOOL"], threading.Event(), {9: 0, 10: 0}
def send():
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    while not done.is_set():
        for port in sent:
            out.sendto(b"x", ("127.0.0.1", port))
            sent[port] += 1
subprocess.run([tool, "load", "gate:0"], check=True)
thread = threading.Thread(target=send)
thread.start()
for load in range(100):
    model, room = (("gate:0", ""), ("gate:200", ""), ("gate:300", "9000"))[load % 3]
    subprocess.run([tool, "load", model] + room.split(), check=True, stdout=subprocess.DEVNULL)
done.set()
thread.join()
print("sent", sent[9], sent[10])
END
"""


def case_traffic():
    """While the table is replaced, nothing denied passes and nothing allowed is lost."""
    with open(os.path.join(DIR.name, "arrivals.nft"), "w", encoding="utf-8") as file:
        file.write(ARRIVALS)
    counts = output(f'ip link set lo up; nft -f "$DIR/arrivals.nft"; {TRAFFIC} nft list counters')
    denied, sent = map(int, re.search(r"sent (\d+) (\d+)", counts).groups())
    passed, received = map(int, re.findall(r"packets (\d+)", counts.split("arrivals")[1]))
    assert denied > 1000 and passed == 0, f"{passed} of {denied} denied packets passed"
    assert sent > 1000 and sent == received, f"{sent - received} of {sent} allowed packets were lost"


def case_steps():
    """A load in several transactions ends in the same state as one in a single transaction."""
    once = output(f'"$TOOL" load both:5000; {LISTED}')
    for before, room in (("", 212992), ('"$TOOL" load both:50;', 16384), ('"$TOOL" load both:50;', ""),
                         ('"$TOOL" load linear:100 16384 > "$DIR/out"; "$TOOL" load empty;', 40000),
                         ('"$TOOL" load actions;', 212992)):
        same(once, output(f'{before} "$TOOL" load both:5000 {room}; {LISTED}'))


def case_deepest():
    """What is as deep as can be written is replaced, too: base chains go to new ones for it."""
    once = output(f'"$TOOL" load deepest; {LISTED}')
    for before in ("deepest", "both:50"):
        same(once, output(f'"$TOOL" load {before}; "$TOOL" load deepest; {LISTED}'))


def case_staged():
    """What does not fit a switch over stands in chains of its own, under names of its own."""
    direct = chains_of(output('"$TOOL" load linear:1000; nft -s list ruleset'))
    for before in ("", '"$TOOL" load linear:50;', '"$TOOL" load linear:2000 16384;',
                   '"$TOOL" load both:10;'):
        text = output(f'{before} "$TOOL" load linear:1000 16384; nft -s list ruleset')
        assert "staged" in text.splitlines()
        suffix = re.search(r"chain forward(\.s\d+)", text).group(1)
        staged = chains_of(text)
        assert staged["forward"] == [f"\t\tgoto forward{suffix}"], staged["forward"]
        assert sorted(staged) == ["forward", "forward" + suffix, "many" + suffix], sorted(staged)
        same("\n".join(direct["forward"]), "\n".join(staged["forward" + suffix]))


def case_small_socket():
    """Without the rights of the host the socket stays small: the load takes several transactions."""
    command = '"$TOOL" load {}:60000; nft list chain inet fwc forward | tail -5'
    assert "staged" not in output(command.format("rules"), namespace=USER_NAMESPACE)
    assert "staged" in output(command.format("linear"), namespace=USER_NAMESPACE)
    assert "staged" not in output(command.format("linear")) or os.geteuid() != 0


def case_refused():
    """A refused batch leaves the old state whole, and the error stands at the policy's line."""
    for model, place in (("bad-rule", "policy.fw:2:1"), ("bad-element", "policy.fw:2:1"),
                         ("loop", "error: the kernel refused")):
        for room in ("", "4096"):
            for before in ('"$TOOL" load both:100;', ""):
                held = output(f'{before} {LISTED}')
                done = run(f'{before} if "$TOOL" load {model} {room} 2> "$DIR/errors"; then exit 9; fi; '
                           f'cat "$DIR/errors" >&2; {LISTED}')
                assert done.returncode == 0, (model, room, done.returncode, done.stderr)
                assert place in done.stderr and "FW1001" in done.stderr, done.stderr
                same(held, "\n".join(line for line in done.stdout.split("\n") if line != "staged"))


def case_buffer():
    """A buffer that is too small even for a staged load is told, and nothing changes."""
    done = run(f'"$TOOL" load linear:50 1000; {LISTED}')
    assert done.returncode == 1 and "FW1004" in done.stderr and "wmem_max" in done.stderr, done.stderr
    done = run('"$TOOL" load linear:50 1000 > "$DIR/out" || true; nft list ruleset')
    assert done.stdout.strip() == "", done.stdout


def case_permission():
    """Without rights: a clear error."""
    drop = "setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all" if os.geteuid() == 0 else ""
    done = run(f'{drop} "$TOOL" load actions', namespace=[])
    if done.returncode > 1:
        return "cannot run the program as another user here"
    assert done.returncode == 1 and "FW1002" in done.stderr, (done.returncode, done.stderr)
    return None


def shim():
    """The library that changes what the kernel says; None where it cannot be built or loaded."""
    with open(FWC, "rb") as file:
        if b"__asan_init" in file.read():
            return None
    library = os.path.join(DIR.name, "kernel_shim.so")
    compiler = os.environ.get("CC", "cc").split()
    done = subprocess.run([*compiler, "-shared", "-fPIC", "-o", library, os.path.join(HERE, "kernel_shim.c")],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return library


def case_busy():
    """Changes by others right before every batch: tried again, then given up with nothing changed."""
    library = shim()
    if library is None:
        return "sanitizers do not let a library stand before theirs"
    policy = os.path.join(TOP, "examples", "small-office.fw")
    before = f'{APPLY} "{policy}" 2> "$DIR/talk"; ( {LISTED} ) > "$DIR/before"; '
    after = f'; ( {LISTED} ) > "$DIR/after"; cmp "$DIR/before" "$DIR/after"'
    done = run(f'{before} printf "allow ssh;\\n" > "$DIR/new.fw"; status=0; '
               f'SHIM_BUSY_TIMES=100000 LD_PRELOAD={library} {APPLY} "$DIR/new.fw" || status=$?; '
               f'echo "status $status" {after}')
    assert done.returncode == 0 and "status 3" in done.stdout, (done.stdout[-300:], done.stderr)
    assert "FW1005" in done.stderr and "20 times" in done.stderr, done.stderr
    done = run(f'SHIM_BUSY_TIMES=3 LD_PRELOAD={library} {APPLY} "{policy}"')
    assert done.returncode == 0, (done.returncode, done.stderr)
    return None


def case_no_nftables():
    """A kernel without netlink, nfnetlink or nf_tables."""
    library = shim()
    if library is None:
        return "sanitizers do not let a library stand before theirs"
    policy = os.path.join(TOP, "examples", "small-office.fw")
    for number in (errno.EPROTONOSUPPORT, errno.EAFNOSUPPORT):
        done = run(f'{APPLY} "{policy}"', LD_PRELOAD=library, SHIM_SOCKET_ERRNO=str(number))
        assert done.returncode == 3 and "FW1003" in done.stderr, (done.returncode, done.stderr)
    return None


def case_other_tables():
    """Other programs' tables are not touched; their base chains are named."""
    other = ("table ip other { chain forwarded { type filter hook forward priority -5; policy drop; }; "
             "chain quiet { type filter hook input priority 5; policy accept; }; "
             "chain translated { type nat hook prerouting priority -100; policy accept; }; }\n"
             "table inet fwc2 { set s { type ipv4_addr; elements = { 1.2.3.4 } }; }")
    with open(os.path.join(DIR.name, "other.nft"), "w", encoding="utf-8") as file:
        file.write(other.replace("; }; ", ";\n}\n").replace("{ chain", "{\nchain").replace("} }; }", "}\n}\n}"))
    shown = 'nft list table ip other; nft list table inet fwc2'
    before = output(f'nft -f "$DIR/other.nft"; {shown}')
    after = output(f'nft -f "$DIR/other.nft"; "$TOOL" load both:50; "$TOOL" load both:50 9000 >&2; '
                   f'"$TOOL" load nat; {shown}')
    same(before, after)
    noted = run('nft -f "$DIR/other.nft"; "$TOOL" notes both:1')
    assert "table 'ip other', chain 'forwarded' (priority -5, policy drop)" in noted.stderr, noted.stderr
    assert noted.stderr.count("FW1006") == 1 and noted.returncode == 0, noted.stderr


COUNT = """python3 - <<'END'
import socket
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for packet in range(7):
    out.sendto(b"x", ("127.0.0.1", 9))
END
"""
COUNTER = "nft list counter inet fwc c_one | grep packets"


def case_counters():
    """Named counters keep their values over a load, direct and staged."""
    values = output(f'ip link set lo up; "$TOOL" load count; {COUNT} {COUNTER}; "$TOOL" load both:5; '
                    f'{COUNTER}; "$TOOL" load both:200 9000; {COUNTER}; "$TOOL" load count; {COUNTER}')
    lines = [line.strip() for line in values.splitlines() if "packets" in line]
    assert len(lines) == 4 and len(set(lines)) == 1 and "packets 7 " in lines[0], values


def case_concurrent():
    """A foreign change while the batch is built makes it stale: it is built again."""
    output('rm -f "$DIR/done"; trap \'touch "$DIR/done"\' EXIT; '
           '(while [ ! -e "$DIR/done" ]; do nft add table ip x; nft delete table ip x; done) & '
           'for i in $(seq 30); do "$TOOL" load both:100; done; "$TOOL" load both:300 30000')


# Three rules of one family at a time stay plain; a network of every kind of load, an address, a range. To IPv4
# the second byte of an IPv6 source is the protocol: 6 is tcp.
PLACED = (
    ("10.0.0.0/8", "172.16.0.0/16", "192.0.2.0/24"),
    ("192.0.2.64/28", "198.51.100.7", "198.51.100.9-198.51.100.77"),
    ("2a06:db8::/32", "2a06:db8:7::/48", "2a06:db8:7:100::/56"),
    ("2a06:db8:7:7::/64", "2a06:db8:7:7:80::/73", "2a06:db8:8::7"),
    ("2a06:db8:9::9-2a06:db8:9::77", "2a06:db8:8::8", "2a06::/19"),
)
OTHER_FAMILY = re.compile(r"^\t\tmeta nfproto ipv[46] (?:drop|accept).*\n", re.M)


def case_addresses_by_place():
    """At level 2 text and messages say the same of addresses by their places, the kernel's table equals the
    policy, and a table without the rules that send the other family away does not."""
    for places in PLACED:
        path = os.path.join(DIR.name, "placed.fw")
        with open(path, "w", encoding="utf-8") as file:
            file.write("default deny;\n" + "".join(
                f"{'deny' if number == 1 else 'allow'} {8000 + number}/tcp from {place};\n"
                for number, place in enumerate(places)))
        text = output(f'"$FWC" compile --optimise 2 "{path}"')
        assert len(re.findall(r"^\t\t@nh,.* tcp ", text, re.M)) == 9, f"{places}: not by their places:\n{text}"
        assert len(OTHER_FAMILY.findall(text)) == 3, f"{places}: the other family goes on"
        for name, written in (("text.nft", text), ("wide.nft", OTHER_FAMILY.sub("", text))):
            with open(os.path.join(DIR.name, name), "w", encoding="utf-8") as file:
                file.write(written)
        verify = f'"$FWC" verify "{path}" 2>&1'
        same(output(f'nft -f "$DIR/text.nft"; {verify}; {LISTED}'),
             output(f'{APPLY} --optimise 2 "{path}" 2> "$DIR/talk"; {verify}; {LISTED}'))
        wide = run(f'nft -f "$DIR/wide.nft"; {verify}')
        assert wide.returncode != 0 and "FW0906" in wide.stdout, f"{places}: {wide.stdout}{wide.stderr}"


def case_loopback():
    """Loopback passes whatever it is called, as text and as messages, where something else is called lo; and the
    kernel's table is known for what it is."""
    path = os.path.join(DIR.name, "closed.fw")
    with open(path, "w", encoding="utf-8") as file:
        file.write("default deny;\ndefault output deny;\n")
    renamed = ("ip link set lo name loop0; ip link set loop0 up; ip link add lo type veth peer name other; "
               "ip link set lo up")
    pings = "ping -c 1 -W 1 127.0.0.1 > /dev/null; ping -c 1 -W 1 ::1 > /dev/null"
    for load in (f'"$FWC" compile "{path}" 2> "$DIR/talk" | nft -f -', f'{APPLY} "{path}" 2> "$DIR/talk"'):
        output(f'{renamed}; {load}; {pings}; "$FWC" verify "{path}"; "$FWC" import nft kernel:')


def case_legacy_tables():
    """Rules that nf_tables does not show are told of, where they can be, and only there."""
    if shutil.which("iptables-legacy") is None:
        return "no iptables-legacy"
    path = os.path.join(DIR.name, "ssh.fw")
    with open(path, "w", encoding="utf-8") as file:
        file.write("allow ssh to self;\n")
    asked = f'{APPLY} "{path}" 2>&1; "$FWC" import nft kernel: 2>&1 > /dev/null'
    said = output(f"iptables-legacy -t nat -L -n > /dev/null; iptables-legacy -L -n > /dev/null; {asked}")
    pattern = r"may be dropped by rules of iptables-legacy \((nat|filter), (nat|filter)\) \[FW1006\]"
    assert re.search(pattern, said), said
    assert "[FW1329]" in said, said
    said = output(asked)
    assert "legacy" not in said, said
    return None


def case_time_zone():
    """Hours and times mean UTC whatever the loader's time zone is."""
    states = [output('"$TOOL" text fields > "$DIR/text.nft"; nft -f "$DIR/text.nft"; '
                     'nft --debug=netlink list ruleset | grep "^  \\["', TZ=zone)
              for zone in ("UTC", "America/New_York", "Asia/Kolkata")]
    same(states[0], states[1])
    same(states[0], states[2])


def is_able():
    for namespace in (OWN_NAMESPACE, USER_NAMESPACE):
        probe = run("nft add table inet probe && nft list ruleset", namespace=namespace)
        if probe.returncode != 0 or "probe" not in probe.stdout:
            return False
    return True


def cases():
    for model in models():
        yield f"text and messages: {model}", lambda model=model: case_text_and_messages(model)
        yield f"bytecode: {model}", lambda model=model: case_bytecode(model)
    for policy in examples():
        yield f"example: {os.path.basename(policy)}", lambda policy=policy: case_example(policy)
    for name, function in sorted(globals().items()):
        if name.startswith("case_") and function.__code__.co_argcount == 0:
            yield name[5:].replace("_", " "), function


def main():
    passed = failed = skipped = 0
    if not is_able():
        print("kernel: skipped: no namespaces or no nf_tables here")
        print("0 passed, 0 failed, 1 skipped")
        sys.exit(1 if os.environ.get("FWC_REQUIRE_KERNEL") else 0)
    for name, function in cases():
        if ASKED.wanted not in name:
            continue
        try:
            reason = function()
            if reason:
                skipped += 1
                print(f"{name}: skipped: {reason}")
            else:
                passed += 1
        except (AssertionError, AttributeError, subprocess.TimeoutExpired) as problem:
            failed += 1
            print(f"{name}: failed: {function.__doc__ or ''}\n{problem}", flush=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)

        class DIR:  # the working folder of the shell commands
            name = folder

        main()
