"""Loads one policy in several ways, into an empty kernel in namespaces of their own, and prints what that costs.

- `fwc apply --confirm 0`: compiled, proved, loaded, read back, kept in a state on the disk; without the proof;
  of the smallest policy also over itself, and over one that lacks a rule, as `nft -f` then, too;
- `fwc boot`: the batch alone that apply has kept;
- `nft -f` of the text that fwc makes of the policy;
- `nft -f` of linear text: a line for each rule and service in one chain that the three base chains enter, or
  the list as it came, in a set that nft merges.

Each row: user and system seconds of the run with the least CPU, the least wall seconds, peak memory, and what
part that is of the CPU time and the memory of `nft -f` with fwc's own text, and with linear text. Whoever applies
has a policy, which `nft` has to be given compiled. Nothing here passes or fails. FWC_BENCH=quick in the
environment: the small sizes alone. Without root's own network namespaces a socket holds 200 KB, and more is
loaded in pieces, or refused."""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

INSIDE = "FWC_INSIDE_LOADING"
QUICK = os.environ.get("FWC_BENCH") == "quick"
RULES = (25, 1_000, 10_000) if QUICK else (25, 1_000, 10_000, 100_000)
ELEMENTS = (100_000,) if QUICK else (100_000, 1_000_000)
SERVICES = ("80/tcp", "443/tcp", "53/udp", "123/udp", "22/tcp", "25/tcp", "993/tcp", "389/tcp", "88/udp", "445/tcp",
            "3389/tcp", "161/udp", "514/udp", "8443/tcp", "9100-9103/tcp", "27015/udp")
HEAD = """table inet linear
delete table inet linear
table inet linear {
	chain decide {
%s
	}
	chain input {
		type filter hook input priority filter; policy accept;
		ct state established,related accept
		ct state invalid drop
		iif lo accept
		goto decide
	}
	chain forward {
		type filter hook forward priority filter; policy accept;
		ct state established,related accept
		ct state invalid drop
		goto decide
	}
	chain output {
		type filter hook output priority filter; policy accept;
		ct state established,related accept
		oif lo accept
		goto decide
	}
}
"""
LIST = """table inet linear
delete table inet linear
table inet linear {
	set blocked {
		type ipv4_addr
		flags interval
		auto-merge
		elements = { %s }
	}
	chain input {
		type filter hook input priority filter; policy accept;
		ip saddr @blocked drop
	}
}
"""


# --- data ---------------------------------------------------------------------------------------------------

def network(generator, used, high):
    """A /28 of HIGH.0.0.0/8 that was not given before."""
    while True:
        value = generator.randrange(1 << 20)
        if value not in used:
            used.add(value)
            address = (high << 24) | (value << 4)
            return ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0)) + "/28"


def make_rules(folder, count):
    """Source network, destination network, 1 to 5 services; a tenth of them deny."""
    generator, sources, targets = random.Random(1), set(), set()
    policy, linear = [], []
    for _ in range(count):
        services = sorted(generator.sample(SERVICES, generator.randint(1, 5)))
        source, target = network(generator, sources, 10), network(generator, targets, 100)
        allows = generator.random() >= 0.1
        policy.append(f"{'allow' if allows else 'deny'} {', '.join(services)} from {source} to {target};\n")
        for service in services:
            ports, protocol = service.split("/")
            linear.append(f"\t\tip saddr {source} ip daddr {target} {protocol} dport {ports}"
                          f" {'accept' if allows else 'drop'}")
    linear.append("\t\tdrop")
    if count == RULES[0]:
        write(folder, "other.fw", "".join(policy[1:]))
    write(folder, f"rules{count}.fw", "".join(policy))
    write(folder, f"rules{count}.linear", HEAD % "\n".join(linear))


def make_list(folder, count):
    """Hosts, and a /24 every fourth line, in no order."""
    generator = random.Random(2)
    lines = []
    for index, value in enumerate(generator.sample(range(1 << 24), count)):
        network_of = f"{value >> 16 & 255 or 1}.{value >> 8 & 255}.{value & 255}"
        lines.append(f"{network_of}.0/24" if index % 4 == 0 else f"{network_of}.{index & 255}")
    write(folder, f"list{count}.txt", "\n".join(lines) + "\n")
    write(folder, f"list{count}.fw", f'network blocked = file "list{count}.txt";\ndeny any from blocked;\n')
    write(folder, f"list{count}.linear", LIST % ",\n".join(lines))


def write(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(text)


def make_data(folder):
    """In a process of its own: a child's peak begins with what its parent has."""
    for count in RULES:
        make_rules(folder, count)
    for count in ELEMENTS:
        make_list(folder, count)


# --- measuring ------------------------------------------------------------------------------------------------

class Figures:
    """What one run of a command took; user and system are seconds, peak is MB."""

    def __init__(self, command, output=os.devnull):
        start = time.monotonic()
        with open(output, "w", encoding="utf-8") as out, tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(command, stdout=out, stderr=errors)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = status
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip()
        self.wall = time.monotonic() - start
        self.user, self.system, self.peak = usage.ru_utime, usage.ru_stime, usage.ru_maxrss / 1024
        self.problem = None if status == 0 else (said.splitlines() or ["no word"])[-1][:100]

    @property
    def cpu(self):
        return self.user + self.system


def clear():
    subprocess.run(["nft", "flush", "ruleset"], check=True)


def least(command, runs, before=clear):
    """The run with the least CPU: what else the machine does only adds to it."""
    best = None
    for _ in range(runs):
        before()
        figures = Figures(command)
        if figures.problem is not None:
            return figures
        wall = figures.wall if best is None else min(figures.wall, best.wall)
        best = figures if best is None or figures.cpu < best.cpu else best
        best.wall = wall
    return best


def part(one, other):
    return f"{one / other:7.2f}" if other > 0.02 else f"{'-':>7}"


def row(name, figures, others):
    if figures.problem is not None:
        print(f"  {name:<34} {figures.problem}", flush=True)
        return
    ratios = "".join(f" {'':>7} {'':>7}" if other.problem is not None else
                     f" {part(figures.cpu, other.cpu)} {part(figures.peak, other.peak)}" for other in others)
    print(f"  {name:<34} {figures.user:8.3f} {figures.system:8.3f} {figures.wall:8.3f} {figures.peak:8.1f}{ratios}",
          flush=True)


def replace_in_turn(apply, state, paths, runs, others):
    """The kernel has something to take away, and waits until no packet is in it."""
    fwc, texts = apply[0], [path + ".nft" for path in paths]
    for path, text in zip(paths, texts):
        Figures([fwc, "compile", "--no-proof", path], text)
    row("fwc apply, over the same", least([*apply, state, paths[0]], runs, lambda: None), others)
    row("fwc apply, over another",
        least([*apply, state, paths[0]], runs, lambda: Figures([*apply, state, paths[1]])), others)
    row("nft -f of fwc's text, over another",
        least(["nft", "-f", texts[0]], runs, lambda: Figures(["nft", "-f", texts[1]])), others)


def compare(fwc, folder, name, runs):
    policy, text = os.path.join(folder, name + ".fw"), os.path.join(folder, name + ".nft")
    linear = least(["nft", "-f", os.path.join(folder, name + ".linear")], runs)
    made = Figures([fwc, "compile", "--no-proof", policy], text)
    own = made if made.problem else least(["nft", "-f", text], runs)
    others = (own, linear)
    apply = [fwc, "apply", "--confirm", "0", "--state"]
    state = os.path.join(folder, "state")
    row("fwc apply", least([*apply, state, policy], runs), others)
    row("fwc apply --no-proof", least([*apply, state, "--no-proof", policy], runs), others)
    if name == f"rules{RULES[0]}":
        replace_in_turn(apply, state, (policy, os.path.join(folder, "other.fw")), runs, others)
        if os.access("/dev/shm", os.W_OK):
            memory = tempfile.mkdtemp(dir="/dev/shm")
            row("fwc apply, the state in memory", least([*apply, memory, policy], runs), others)
            shutil.rmtree(memory)
    row("fwc boot", least([fwc, "boot", os.path.join(state, "boot.batch")], runs), others)
    row("nft -f of fwc's text", own, others)
    row("nft -f of linear text", linear, others)
    clear()
    shutil.rmtree(state, ignore_errors=True)


def enter():
    """Restarts the script in a network namespace of its own."""
    if os.environ.get(INSIDE):
        return
    options = "-n" if os.geteuid() == 0 else "-rn"
    probe = subprocess.run(["unshare", options, "nft", "add table inet probe"], capture_output=True, check=False)
    if probe.returncode != 0:
        print("loading: skipped: no namespaces with nf_tables here")
        sys.exit(0)
    os.environ[INSIDE] = "1"
    for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"):
        os.environ.pop(name, None)
    os.execvp("unshare", ["unshare", options, "--", sys.executable, *sys.argv])


def main():
    if sys.argv[1] == "--data":
        make_data(sys.argv[2])
        return
    enter()
    fwc = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, __file__, "--data", folder], check=True)
        print(f"{'':<36} {'user s':>8} {'system s':>8} {'wall s':>8} {'peak MB':>8}"
              f" {'CPU':>7} {'memory':>7} {'CPU':>7} {'memory':>7}  (parts of fwc's text, of linear text)")
        for kind, counts in (("rules", RULES), ("list", ELEMENTS)):
            for count in counts:
                print(f"{count} {'rules' if kind == 'rules' else 'prefixes and hosts'}")
                compare(fwc, folder, f"{kind}{count}", 11 if count <= 1000 else 3 if count <= 10_000 else 1)
        print("(peaks below about 15 MB are those of the process that measures)")


if __name__ == "__main__":
    main()
