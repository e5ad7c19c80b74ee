"""Times the reader of IOS text over a list of 100,000 entries. Figures, no verdicts.

usage: acl_read.py ACL_TOOL
"""

import random
import statistics
import subprocess
import sys
import tempfile


def entries(count, is_numbered):
    generator = random.Random(1)
    below = generator.randrange
    for index in range(count):
        protocol = generator.choice(("tcp", "udp", "ip"))
        source = f"10.{below(256)}.{below(256)}.0 0.0.0.255"
        target = f"host 100.{below(256)}.{below(256)}.{below(256)}"
        ports = "" if protocol == "ip" else \
            generator.choice((" eq 80", " range 1000 2000", " eq domain", " gt 1023"))
        number = f"{10 * (index + 1)} " if is_numbered else ""
        yield f" {number}{generator.choice(('permit', 'deny'))} {protocol} {source} {target}{ports}\n"


def main():
    for name, is_numbered in (("with numbers", True), ("without numbers", False)):
        for count in (10_000, 100_000):
            with tempfile.NamedTemporaryFile("w", suffix=".ios") as file:
                file.write("ip access-list extended BIG\n" + "".join(entries(count, is_numbered)))
                file.flush()
                rows = [subprocess.run([sys.argv[1], "time", file.name], capture_output=True, text=True,
                                       check=False).stdout.split() for _ in range(3)]
            taken = statistics.median(float(row[0]) for row in rows)
            print(f"{count:>7} entries {name}: {taken:.3f} s, peak {int(rows[0][1]) // 1024} MB")


if __name__ == "__main__":
    main()
