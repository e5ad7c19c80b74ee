"""Names of tables: what fwc accepts nft loads, and what nft takes for a word of its own fwc refuses."""

import os
import re
import subprocess

WORDS_FILE = os.path.join(os.path.dirname(__file__), "../../src/target/nft/model/words.def")

# names that are close to words of nft, or words of it in other places only
NAMES = ("_", "a", "A", "ACCEPT", "Table", "_table", "table_", "tables", "chains", "rules", "hooks",
         "fwc", "filter", "nat", "mangle", "raw", "security", "input", "forward", "output",
         "prerouting", "postrouting", "ingress", "egress", "dscp", "ttl", "to", "from", "with", "name",
         "packets", "bytes", "rate", "burst", "second", "minute", "week", "over", "until", "used",
         "last", "never", "prefix", "group", "level", "port", "saddr", "daddr", "sport", "dport",
         "protocol", "version", "length", "option", "state", "status", "helper", "zone", "original",
         "reply", "id", "label", "event", "tos", "tag", "mtu", "code", "check", "in", "out", "json",
         "xml", "true", "false", "firewalld", "docker", "lan", "wan", "x" * 32)
MALFORMED = ("", "1st", "two words", "a-b", "a.b", "a/b", "caf\u00e9", "x" * 33, "a;b", "$a", "@a", "*", "a\n")
LATER = {"destroy", "geneve", "gre", "gretap", "tunnel", "vni", "vxlan"}  # of later versions than 1.0.6


def words():
    with open(WORDS_FILE, encoding="ascii") as file:
        return re.findall(r'^X\("(\w+)"\)$', file.read(), re.M)


def nft_takes(scripts):
    """For each script, whether nft would load it."""
    loop = 'for script; do if nft -c -f "$script" 2>/dev/null; then echo yes; else echo no; fi; done'
    done = subprocess.run(["unshare", "-rn", "sh", "-c", loop, "sh", *scripts], capture_output=True,
                          text=True, timeout=120, check=True)
    return [answer == "yes" for answer in done.stdout.split()]


def check_refused(session, policy, name):
    done = session.run("compile", f"--table={name}", policy)
    if session.check_refusal(f"--table={name!r}", done, 2):
        session.check(b"table" in done.stderr, f"--table={name!r}: {done.stderr[:300]}")


def check_accepted(session, policy, names):
    scripts = []
    for name in names:
        done = session.run("compile", f"--table={name}", policy)
        session.check(done.returncode == 0, f"--table={name}: {done.stderr[:300]}")
        scripts.append(session.write(f"table-{name}.nft", done.stdout))
    if session.can_load:
        for name, is_taken in zip(names, nft_takes(scripts)):
            session.check(is_taken, f"nft refuses the table {name}, which fwc accepts")


def check_words(session, refused):
    """The list holds nothing but words of nft."""
    scripts = [session.write(f"word-{word}.nft", f"table inet {word} {{ }}\n") for word in refused]
    for word, is_taken in zip(refused, nft_takes(scripts)):
        session.check(not is_taken, f"nft takes the table {word}, which fwc refuses")


def run(session):
    policy = session.write("tables.fw", "allow ssh log;\n")
    refused = words()
    session.check(len(refused) > 100 and refused == sorted(refused), "the words are many and sorted")
    for name in (*refused, *MALFORMED):
        check_refused(session, policy, name)
    check_accepted(session, policy, NAMES)
    if session.can_load:
        check_words(session, [word for word in refused if word not in LATER])
