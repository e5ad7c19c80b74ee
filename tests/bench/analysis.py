"""Times `fwc check`, `fwc diff` and the proof of `fwc compile` as whole processes, and prints tables.

Sparse lists name small networks, as most rules do; dense ones hold whole /8s (IPv6: /32s) and rules
without a source among them, so that every rule overlaps many; in random ones all ends of ranges are
random. `diff` compares a list with a copy in which one rule in a hundred (or in ten, or each) has another
verdict, another service or another place, or a hundred rules stand elsewhere. Each line: CPU and wall
seconds and peak memory, the median of RUNS runs for shorter ones. The proof is what `compile` takes more than
`compile --no-proof`. Nothing here passes or fails: figures are for comparing within one run."""

import glob
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RUNS = 3
EXAMPLE_RUNS = 21
SECONDS_SHORT = 3
SECONDS_MOST = 120
RANDOM_RULES = 100_000
SERVICES = ("http", "https", "dns", "ntp", "ssh", "smtp", "imaps", "ldap", "kerberos", "smb", "rdp",
            "8443/tcp", "9100-9103/tcp", "27015/udp", "1024-65535/tcp", "1024-65535/udp")
LENGTHS = {("sparse", 4): (24, 28, 32), ("sparse", 6): (64, 96, 128),
           ("dense", 4): (8, 16, 16, 20, 24, 24, 24, 28, 32, 32, 32),
           ("dense", 6): (32, 48, 48, 56, 64, 64, 64, 96, 128, 128)}
LISTS = [("sparse", 10_000), ("sparse", 50_000), ("dense", 1_000), ("dense", 10_000)]
# versions of the lists of 10,000 rules besides the one in a hundred
VERSIONS = {"one in ten": 0.1, "each": 1.0, "moved": 0}


def network(generator, shape, family, pool):
    """One of the pool; now and then another prefix of it."""
    value = generator.choice(pool)
    length = generator.choice(LENGTHS[shape, family])
    bits = 32 if family == 4 else 128
    value = value >> (bits - length) << (bits - length)
    if family == 4:
        text = ".".join(str(value >> shift & 255) for shift in (24, 16, 8, 0))
    else:
        text = ":".join(f"{value >> shift & 0xffff:x}" for shift in range(112, -1, -16))
    return f"{text}/{length}"


def rules(shape, family, count, seed=1):
    generator = random.Random(seed)
    high = 10 << 24 if family == 4 else 0x20010db8 << 96
    low = 24 if family == 4 else 96
    pool = [high | generator.getrandbits(low) for _ in range(max(count // 2, 10))]
    lines = []
    while len(lines) < count:
        verdict = "deny" if generator.random() < 0.2 else "allow"
        source = "" if shape == "dense" and generator.random() < 0.1 else \
            f" from {network(generator, shape, family, pool)}"
        lines.append(f"{verdict} {generator.choice(SERVICES)}{source}"
                     f" to {network(generator, shape, family, pool)};")
    return lines


def changed(lines, share, seed=2):
    generator, lines = random.Random(seed), list(lines)
    for at in range(len(lines) - 1):
        if generator.random() >= share:
            continue
        kind = generator.randrange(3)
        words = lines[at].split(" ")
        if kind == 0:
            words[0] = "allow" if words[0] == "deny" else "deny"
        elif kind == 1:
            words[1] = generator.choice(SERVICES)
        lines[at] = " ".join(words)
        if kind == 2:
            lines[at], lines[at + 1] = lines[at + 1], lines[at]
    return lines


def moved(lines, seed=2):
    generator, lines = random.Random(seed), list(lines)
    for _ in range(100):
        line = lines.pop(generator.randrange(len(lines)))
        lines.insert(generator.randrange(len(lines) + 1), line)
    return lines


def random_rules(count, seed=3):
    """Ranges of ports and of addresses with any ends."""
    generator = random.Random(seed)

    def places():
        low = generator.randrange(1 << 24, 223 << 24)
        ends = low, min(low + generator.randrange(1 << 28), (224 << 24) - 1)
        return "-".join(".".join(str(end >> shift & 255) for shift in (24, 16, 8, 0)) for end in ends)

    for _ in range(count):
        low = generator.randrange(1, 60_000)
        yield (f"{generator.choice(('allow', 'deny', 'reject'))} {low}-{low + generator.randrange(1, 5000)}/"
               f"{generator.choice(('tcp', 'udp'))} from {places()} to {places()};")


def write(folder, name, lines):
    with open(os.path.join(folder, f"{name}.fw"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def make_data(folder):
    """In a process of its own: a child's peak begins with what its parent has."""
    for shape, count in LISTS:
        for family in (4, 6):
            lines = rules(shape, family, count)
            write(folder, f"old-{shape}-{family}-{count}", lines)
            write(folder, f"new-{shape}-{family}-{count}", changed(lines, 0.01))
            for name, share in VERSIONS.items() if count == 10_000 else ():
                write(folder, f"{name}-{shape}-{family}-{count}",
                      changed(lines, share) if share else moved(lines))
    write(folder, "random", random_rules(RANDOM_RULES))


def run(command):
    """CPU and wall seconds, megabytes, exit status; None where it took too long."""
    start = time.monotonic()
    with subprocess.Popen(["timeout", str(SECONDS_MOST), *command], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode == 124:
        return None
    if process.returncode < 0:
        sys.exit(f"{' '.join(command)} was ended by signal {-process.returncode}")
    return (usage.ru_utime + usage.ru_stime, time.monotonic() - start, usage.ru_maxrss / 1024,
            process.returncode)


def row(name, command):
    """Statuses 0 and 1 are answers: nothing to say, and something; above it not all was found. Gives the
    CPU seconds."""
    results = [run(command)]
    while results[0] and results[0][1] < SECONDS_SHORT and len(results) < RUNS:
        results.append(run(command))
    if None in results:
        print(f"{name:<50} more than {SECONDS_MOST} s", flush=True)
        return None
    cpu, wall = (statistics.median(result[at] for result in results) for at in (0, 1))
    print(f"{name:<50} {cpu:8.3f} {wall:8.3f} {max(result[2] for result in results):8.1f}"
          f"{'' if results[0][3] < 2 else '   past its budget: not all was found'}", flush=True)
    return cpu


def ratio_line(name, a, b):
    if a is not None and b:
        print(f"{name:<50} {a / b:8.2f}", flush=True)


def analysis(binary, folder):
    print(f"{'':<50} {'CPU s':>8} {'wall s':>8} {'peak MB':>8}")

    def path(name, shape, family, count):
        return os.path.join(folder, f"{name}-{shape}-{family}-{count}.fw")

    for shape, count in LISTS:
        times = {}
        for family in (4, 6):
            old = path("old", shape, family, count)
            label = f"{count} rules, {shape}, IPv{family}"
            times["check", family] = row(f"check, {label}", [binary, "check", old])
            times["diff", family] = row(f"diff, {label}, one in a hundred",
                                        [binary, "diff", old, path("new", shape, family, count)])
            for name in VERSIONS if count == 10_000 else ():
                row(f"diff, {label}, {name}", [binary, "diff", old, path(name, shape, family, count)])
        for command in ("check", "diff"):
            ratio_line(f"{command}, {count} rules, {shape}, IPv6 / IPv4", times[command, 6], times[command, 4])
    row(f"check, {RANDOM_RULES} random rules", [binary, "check", os.path.join(folder, "random.fw")])


def proof_row(name, binary, file, runs):
    """Runs in turn, so that both meet the machine alike."""
    pairs = [(run([binary, "compile", "--no-proof", file]), run([binary, "compile", file]))
             for _ in range(runs)]
    if any(None in pair for pair in pairs):
        print(f"{name:<32} more than {SECONDS_MOST} s", flush=True)
        return
    without, proved = (statistics.median(pair[at][0] for pair in pairs) for at in (0, 1))
    peak = max(pair[1][2] for pair in pairs)
    print(f"{name:<32} {without * 1000:10.1f} {(proved - without) * 1000:9.1f} {(proved - without) / without:7.2f}"
          f" {peak:8.1f}", flush=True)


def proofs(binary, folder):
    print(f"\n{'the proof':<32} {'compile ms':>10} {'proof ms':>9} {'ratio':>7} {'peak MB':>8}")
    for file in sorted(glob.glob(os.path.join(TOP, "examples", "*.fw"))):
        proof_row(os.path.basename(file), binary, file, EXAMPLE_RUNS)
    for family in (4, 6):
        proof_row(f"10000 rules, sparse, IPv{family}", binary,
                  os.path.join(folder, f"old-sparse-{family}-10000.fw"), RUNS)
    proof_row("50000 rules, sparse, IPv4", binary, os.path.join(folder, "old-sparse-4-50000.fw"), 1)


def main():
    os.environ.setdefault("PARIS_LYON_PSK", "a-key-for-this-alone")  # without it site-to-site.fw ends at once
    if sys.argv[1] == "--data":
        make_data(sys.argv[2])
        return
    binary = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, __file__, "--data", folder], check=True)
        analysis(binary, folder)
        proofs(binary, folder)


if __name__ == "__main__":
    main()
