"""Times `fwc check` and `fwc diff` as whole processes over lists of five-tuple rules, and prints one table.

Sparse lists name small networks, as most rules do; dense ones hold whole /8s (IPv6: /32s) and rules
without a source among them, so that every rule overlaps many. `diff` compares a list with a copy in
which one rule in a hundred has another verdict, another service or another place. CPU and wall seconds
and peak memory of single runs; nothing here passes or fails: figures are for comparing within one run."""

import os
import random
import subprocess
import sys
import tempfile
import time

COUNTS = (1_000, 10_000, 50_000)
SECONDS_MOST = 60
SERVICES = ("http", "https", "dns", "ntp", "ssh", "smtp", "imaps", "ldap", "kerberos", "smb", "rdp",
            "8443/tcp", "9100-9103/tcp", "27015/udp", "1024-65535/tcp", "1024-65535/udp")
LENGTHS = {("sparse", 4): (24, 28, 32), ("sparse", 6): (64, 96, 128),
           ("dense", 4): (8, 16, 16, 20, 24, 24, 24, 28, 32, 32, 32),
           ("dense", 6): (32, 48, 48, 56, 64, 64, 64, 96, 128, 128)}
LISTS = [(shape, family, count) for shape in ("sparse", "dense") for count in COUNTS for family in (4, 6)]


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


def changed(lines, seed=2):
    generator, lines = random.Random(seed), list(lines)
    for _ in range(max(len(lines) // 100, 1)):
        at = generator.randrange(len(lines) - 1)
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


def make_data(folder):
    """In a process of its own: a child's peak begins with what its parent has."""
    for shape, family, count in LISTS:
        lines = rules(shape, family, count)
        for name, list_ in (("old", lines), ("new", changed(lines))):
            path = os.path.join(folder, f"{name}-{shape}-{family}-{count}.fw")
            with open(path, "w", encoding="utf-8") as file:
                file.write("\n".join(list_) + "\n")


def row(name, command):
    """Statuses 0 and 1 are answers: nothing to say, and something; above it none was found."""
    start = time.monotonic()
    with subprocess.Popen(["timeout", str(SECONDS_MOST), *command], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - start
    if process.returncode == 124:
        print(f"{name:<36} more than {SECONDS_MOST} s", flush=True)
    elif process.returncode < 0:
        sys.exit(f"{' '.join(command)} was ended by signal {-process.returncode}")
    else:
        print(f"{name:<36} {usage.ru_utime + usage.ru_stime:9.3f} {wall:9.3f}"
              f" {usage.ru_maxrss / 1024:9.1f}"
              f"{'' if process.returncode < 2 else '   past its budget: no answer'}", flush=True)


def main():
    if sys.argv[1] == "--data":
        make_data(sys.argv[2])
        return
    binary = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, __file__, "--data", folder], check=True)
        print(f"{'':<36} {'CPU s':>9} {'wall s':>9} {'peak MB':>9}")
        for shape, family, count in LISTS:
            old, new = (os.path.join(folder, f"{name}-{shape}-{family}-{count}.fw") for name in ("old", "new"))
            row(f"check, {count} rules, {shape}, IPv{family}", [binary, "check", old])
            row(f"diff, {count} rules, {shape}, IPv{family}", [binary, "diff", old, new])


if __name__ == "__main__":
    main()
