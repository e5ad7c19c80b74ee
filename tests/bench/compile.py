"""Times `fwc` as a whole process over policies of growing size, and prints one table.

Each row: CPU and wall seconds (median of the runs) and peak memory of the largest run.
Nothing here passes or fails: figures are for comparing within one run."""

import glob
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "engines"))

import offices # pylint: disable=wrong-import-position

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SERVICES = ("http", "https", "dns", "ntp", "ssh", "smtp", "imaps", "ldap", "kerberos", "smb",
            "rdp", "snmp", "syslog", "8443/tcp", "9100-9103/tcp", "27015/udp")


def network(generator, used, high):
    """A distinct /24 below HIGH.0.0.0/8 or /28 once those are used up."""
    while True:
        value = generator.randrange(1 << 20)
        if value not in used:
            used.add(value)
            address = (high << 24) | (value << 4)
            octets = ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0))
            return octets + "/28"


def rules_policy(count, seed=1):
    """COUNT rules, each with its own source and destination network and 1 to 5 services."""
    generator, sources, targets = random.Random(seed), set(), set()
    lines = []
    for _ in range(count):
        services = ", ".join(sorted(generator.sample(SERVICES, generator.randint(1, 5))))
        verdict = "deny" if generator.random() < 0.1 else "allow"
        lines.append(f"{verdict} {services} from {network(generator, sources, 10)}"
                     f" to {network(generator, targets, 100)};")
    return "\n".join(lines) + "\n"


def small_policy():
    """25 statements as people write them."""
    names = ["http", "https", "dns", "ntp", "ssh", "smtp", "imaps", "ldap", "kerberos", "smb"]
    head = ["zone lan { interface eth1; network 192.168.0.0/24; }",
            "zone wan { interface eth0; network internet; }",
            "host dc1 = 192.168.0.10;", "default deny log;"]
    return "\n".join(head + [f"allow {names[index % 10]} from lan to {'wan' if index % 2 else 'dc1'};"
                             for index in range(21)]) + "\n"


def blocklist(count, seed=2):
    generator = random.Random(seed)
    values = generator.sample(range(1 << 24), count)
    return "".join(f"{v >> 16 & 255 or 1}.{v >> 8 & 255}.{v & 255}.0/24\n" if index % 4 == 0 else
                   f"{v >> 16 & 255 or 1}.{v >> 8 & 255}.{v & 255}.{index & 255}\n"
                   for index, v in enumerate(values))


def measure(command, runs):
    """(cpu, wall, peak KiB) of a command: medians, and the largest peak."""
    cpu, wall, peak = [], [], 0
    for _ in range(runs):
        start = time.monotonic()
        with open(os.devnull, "w", encoding="utf-8") as null:
            process = subprocess.Popen(command, stdout=null, stderr=subprocess.PIPE)
            errors = process.stderr.read()
            _, status, usage = os.wait4(process.pid, 0)
        wall.append(time.monotonic() - start)
        if status != 0:
            sys.exit(f"{' '.join(command)} failed:\n{errors.decode(errors='replace')[:2000]}")
        cpu.append(usage.ru_utime + usage.ru_stime)
        peak = max(peak, usage.ru_maxrss)
    return statistics.median(cpu), statistics.median(wall), peak


def row(name, command, runs):
    cpu, wall, peak = measure(command, runs)
    print(f"{name:<44} {cpu:9.4f} {wall:9.4f} {peak / 1024:9.1f}", flush=True)


RULES = (1_000, 10_000, 100_000)
PREFIXES = (10_000, 100_000, 1_000_000)
OFFICES = (50, 100, 200, 340, 1000) # overlapping rules with limits, hours and logs


def proof_rows(binary, folder):
    """What the parts take within one process: proof_tool's own clock, medians."""
    tool = os.path.join(os.path.dirname(binary), "..", "..", "tests", "kernel", "proof_tool")
    if not os.path.exists(tool):
        return
    print(f"\n{'':<44} {'made s':>9} {'read s':>9} {'proved s':>9}")
    examples = sorted(glob.glob(os.path.join(TOP, "examples", "*.fw")))
    for path in examples + [os.path.join(folder, f"rules{count}.fw") for count in RULES]:
        runs = []
        for _ in range(7):
            done = subprocess.run([tool, "prove", f"policy:{path}"], text=True, capture_output=True)
            runs.append([float(word) for word in re.findall(r"(\d+\.\d+) s", done.stderr)])
        if done.returncode == 0:
            made, read, proved = (statistics.median(column) for column in zip(*runs))
            print(f"{os.path.basename(path):<44} {made:9.4f} {read:9.4f} {proved:9.4f}", flush=True)


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def make_data(folder):
    """All policies. In a process of its own: a child's peak begins with what its parent has."""
    write(os.path.join(folder, "small.fw"), small_policy())
    for count in RULES:
        write(os.path.join(folder, f"rules{count}.fw"), rules_policy(count))
    for count in OFFICES:
        write(os.path.join(folder, f"office{count}.fw"), offices.policy_of("both families", count, 0.3))
    for count in PREFIXES:
        write(os.path.join(folder, f"list{count}.txt"), blocklist(count))
        write(os.path.join(folder, f"list{count}.fw"),
              f'network blocked = file "list{count}.txt";\ndeny any from blocked;\n')


def main():
    if sys.argv[1] == "--data":
        make_data(sys.argv[2])
        return
    binary = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, __file__, "--data", folder], check=True)
        print(f"{'':<44} {'CPU s':>9} {'wall s':>9} {'peak MB':>9}")
        row("25 statements to nft text", [binary, "compile", os.path.join(folder, "small.fw")], 11)
        for name, path in [(f"{count} rules", f"rules{count}.fw") for count in RULES] + \
                          [(f"office of {count}", f"office{count}.fw") for count in OFFICES] + \
                          [(f"{count} prefixes", f"list{count}.fw") for count in PREFIXES]:
            row(f"{name} to nft text, proved", [binary, "compile", os.path.join(folder, path)], 5)
            row(f"{name} to nft text, not proved",
                [binary, "compile", "--no-proof", os.path.join(folder, path)], 5)
        for count in RULES:
            row(f"{count} rules to access lists",
                [binary, "compile", "--target", "cisco-ios", os.path.join(folder, f"rules{count}.fw")], 5)
        proof_rows(binary, folder)
        print("(peaks below about 15 MB are those of the process that measures)")


if __name__ == "__main__":
    main()
