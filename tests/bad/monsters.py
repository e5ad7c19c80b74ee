"""Input that is no policy, or much too much of one; hostile strings in every place for text."""

import concurrent.futures
import os
import random
import re
import subprocess

NAMESPACED = ["unshare", "-rn"]


def nested(depth):
    return "from 10.0.0.0/8 {\n" * depth + "allow ssh;\n" + "}\n" * depth


def many_rules(count, last):
    """`count` sensible rules and one more line."""
    lines = [f"allow {1024 + index % 60000}/tcp from 10.{index >> 16 & 255}.{index >> 8 & 255}."
             f"{index & 255} to self;" for index in range(count)]
    return "\n".join(lines) + "\n" + last + "\n"


def random_bytes(size, seed):
    return random.Random(seed).randbytes(size)


def inputs():
    """(name, content, code, line): line None where any line will do."""
    long_list = ", ".join(f"{port}/tcp" for port in range(1, 65000))
    yield "an empty file", b"", "FW0109", None
    yield "only comments", b"# nothing\n\n# here\n", "FW0109", None
    yield "only semicolons", b";;;;\n", "FW0109", None
    yield "random bytes", random_bytes(1 << 20, 1), "FW01", None
    yield "random bytes below 128", bytes(byte & 127 for byte in random_bytes(1 << 20, 2)), "FW01", None
    yield "random printables", bytes(32 + byte % 95 for byte in random_bytes(1 << 20, 3)), "FW0", None
    yield "a megabyte of NUL", bytes(1 << 20), "FW0101", 1
    yield "a NUL in a name", b"allow http;\nallow ss\0h;\n", "FW0101", 2
    yield "a NUL in a comment", b"allow http; # \0\nallow ssh;\n", "FW0101", 1
    yield "a NUL in a string", b'allow http because "a\0b";\n', "FW0101", 1
    yield "bad UTF-8 in a comment", b"allow http;\n# \xff\xfe\nallow ssh;\n", "FW0102", 2
    yield "an overlong UTF-8 slash", b'allow http because "\xc0\xaf";\n', "FW0102", 1
    yield "a surrogate", b'allow http because "\xed\xa0\x80";\n', "FW0102", 1
    yield "UTF-16", "allow http;\n".encode("utf-16"), "FW01", 1
    yield "nested 10,000 deep", nested(10_000).encode(), "FW0107", None
    yield "opened 10,000 times", ("from 10.0.0.0/8 {\n" * 10_000).encode(), "FW01", None
    yield "100,000 opening braces", b"{" * 100_000, "FW01", None
    yield "100,000 closing braces", b"}" * 100_000, "FW01", None
    yield "100,000 parts of a statement", b"except " * 100_000, "FW01", None
    yield "a statement of 1 MB with a mistake", \
        f"allow {long_list}, {long_list[:600_000]}x/tcp;\n".encode(), "FW0", 1
    yield "a word of 1 MB", b"allow " + b"a" * (1 << 20) + b";\n", "FW0", 1
    yield "a string of 1 MB without an end", b'allow ssh because "' + b"a" * (1 << 20), "FW0103", 1
    yield "a number of 1 MB", b"allow " + b"9" * (1 << 20) + b"/tcp;\n", "FW0", 1
    yield "an error behind 100,000 rules", many_rules(100_000, "allow no-such;").encode(), \
        "FW0301", 100_001
    yield "100,000 errors", ("allow no-such-service;\n" * 100_000).encode(), "FW0301", 1
    yield "a chain of 50,000 groups", ("".join(f"group g{index} = g{index + 1};\n"
                                               for index in range(50000))
                                       + "group g50000 = 10.0.0.1;\nallow ssh from g0;\n").encode(), \
        "FW0107", None
    yield "a cycle of 50,000 groups", ("".join(f"group g{index} = g{(index + 1) % 50000};\n"
                                               for index in range(50000))
                                       + "allow ssh from g0;\n").encode(), "FW0", None
    yield "a cycle of 50,000 services", ("".join(f"service s{index} = s{(index + 1) % 50000};\n"
                                                 for index in range(50000))
                                         + "allow s0;\n").encode(), "FW0", None


def run_inputs(session, run_mistake):
    for index, (name, content, code, line) in enumerate(inputs()):
        path = session.write(f"monster{index}/main.fw", content)
        run_mistake(session, name, path, (code, line, "main.fw"))


def run_endings(session):
    """What is allowed although it looks odd."""
    fine = {"CRLF": b"allow ssh;\r\nallow http;\r\n", "a byte-order mark": b"\xef\xbb\xbfallow ssh;",
            "no last semicolon": b"allow ssh; allow http", "1 MB of comment": b"#" + b"x" * (1 << 20)
            + b"\nallow ssh;\n", "a chain of 50 groups": "".join(
                f"group g{index} = g{index + 1};\n" for index in range(50)).encode()
            + b"group g50 = 10.0.0.1;\nallow ssh from g0;\n"}
    for name, content in fine.items():
        done = session.run("check", "-", stdin=content)
        session.check(done is not None and done.returncode == 0 and done.stdout == b"",
                      f"{name} is fine: {done and done.stderr[:500]}")


# --- hostile strings ------------------------------------------------------------------------

HOSTILE = {
    "backslash": r"a\b", "ending backslash": "end\\", "dollar": "$x ${y} $(z)", "backtick": "`id`",
    "single quote": "it's", "semicolon": "; drop; }", "braces": "{ } }}", "hash": "# not a comment",
    "percent": "%s%n%1000000d", "comment end": "*/ /*", "long": "x" * 10_000, "unicode": "é ☃ \u202e \u00a0",
    "c1 control": "a\u0085b\u009bc", "blanks": "   ", "128 bytes": "y" * 128, "127 bytes": "y" * 127,
    "129 in two-byte letters": "é" * 129, "at": "@set", "nft words": '" accept comment ',
    "line separator": "a\u2028b", "empty": "",
}
# where the language takes a string; %s stands for it
PLACES = {
    "because": 'allow ssh because "%s";', "owner": 'allow ssh owner "%s";',
    "log": 'deny ssh log "%s";', "id": 'allow ssh id "%s";', "policy": 'policy "%s"; allow ssh;',
    "version": 'policy "p" version "%s"; allow ssh;', "default": 'allow ssh; default deny because "%s";',
    "service text": 'service s "%s" { 80/tcp; } allow s;',
    "service name": 'service "%s" = 80/tcp; allow "%s";',
    "source": 'service s { 80/tcp; source "%s"; } allow s;',
    "alias": 'service s { 80/tcp; alias "%s"; } allow s;',
    "host name": 'host "%s" = 10.0.0.1; allow ssh from "%s";',
    "zone name": 'zone "%s" { interface eth7; } allow ssh from "%s";',
    "interface": 'zone z { interface "%s"; } allow ssh from z;',
    "group name": 'group "%s" = 10.0.0.1; allow ssh from "%s";',
    "schedule name": 'schedule "%s" = daily 08:00-09:00; allow ssh during "%s";',
    "list": 'network n = file "%s"; allow ssh from n;', "include": 'include "%s"; allow ssh;',
    "expect": 'expect shadowed because "%s"; allow ssh;',
    "counted": 'allow ssh count id "%s";', "limited": 'allow ssh limit 5/second id "%s";',
}
CONTROLS = {"escape": "\x1b[31m", "bell": "\a", "carriage return": "a\rb", "tab": "a\tb",
            "delete": "\x7f", "line end": "a\nb", "vertical tab": "\v"}
APPLY_AND_LIST = ('"$1" apply "$2" --state "$2.state" --confirm 0 >"$2.out" 2>"$2.err"; status=$?;'
                  'nft -s list ruleset >"$2.first"; nft -c -f - <"$2.first" || exit 91;'
                  'for chain in $(grep -o "chain applied_[0-9]*" "$2.first" | cut -d" " -f2);'
                  'do nft delete chain inet fwc "$chain"; done;'
                  'nft -j list ruleset >/dev/null || exit 90; nft -s list ruleset; exit $status')


def filled(template, text):
    return template.replace("%s", text) + "\n"


def run_hostile(session):
    """Each string in each place: refused with a message, or loaded, listed and read again; several places at
    once, for namespaces are slow to come and go."""
    with concurrent.futures.ThreadPoolExecutor(3) as workers:
        list(workers.map(lambda place: check_place(session, place), PLACES))


def check_place(session, place):
    for kind, text in HOSTILE.items():
        check_hostile(session, f"{kind} in {place}", place, filled(PLACES[place], text))
    for kind, text in CONTROLS.items():
        done = session.run("check", "-", stdin=filled(PLACES[place], text).encode())
        session.check_refusal(f"{kind} in {place}", done)


def check_hostile(session, name, place, policy):
    path = session.write(f"hostile {place}/main.fw", policy)
    done = session.run("compile", path)
    if not session.check(done is not None, f"{name}: does not end"):
        return
    if done.returncode != 0:
        session.check_refusal(name, done)
        return
    text = done.stdout.decode(errors="replace")
    unclean = re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
    session.check(unclean is None, f"{name}: control characters in the output: {unclean}")
    if session.can_load:
        check_listings(session, name, path, done.stdout)


def check_listings(session, name, path, script):
    """The text loads, the batch loads, and both list the same; the listing loads again."""
    by_text = subprocess.run([*NAMESPACED, "sh", "-c", "nft -f - && nft -s list ruleset"],
                             input=script, capture_output=True, timeout=20, check=False)
    if not session.check(by_text.returncode == 0,
                         f"{name}: nft -f: {by_text.stderr.decode(errors='replace')[:500]}"):
        return
    by_batch = subprocess.run([*NAMESPACED, "sh", "-c", APPLY_AND_LIST, "sh", session.fwc, path],
                              cwd=session.folder,
                              capture_output=True, timeout=20, check=False)
    session.check(by_batch.returncode == 0, f"{name}: apply: {by_batch.returncode}")
    session.check(by_text.stdout == by_batch.stdout, f"{name}: text and batch list differently")
    again = subprocess.run([*NAMESPACED, "sh", "-c", "nft -f - && nft -s list ruleset"],
                           input=by_batch.stdout, capture_output=True, timeout=20, check=False)
    session.check(again.returncode == 0 and again.stdout == by_batch.stdout,
                  f"{name}: the listing does not load again: {again.stderr[:300]}")


def zones_on_both_sides(count):
    """One rule from every zone to every zone."""
    zones = [f"zone z{index} {{ interface eth{index}; network 10.{index >> 8}.{index & 255}.0/24; }}"
             for index in range(count)]
    names = ", ".join(f"z{index}" for index in range(count))
    return "\n".join(zones) + f"\ngroup all-zones = {names};\n" \
        "allow ssh from all-zones to all-zones;\n"


def run_products(session):
    """The output grows with the zones, not with their pairs; the text and the batch load and agree."""
    sizes = {}
    for count in (30, 120):
        path = session.write(f"zones{count}.fw", zones_on_both_sides(count))
        done = session.run("compile", path)
        if session.check(done is not None and done.returncode == 0, f"{count} zones: {done}"):
            sizes[count] = len(done.stdout)
            if session.can_load:
                check_listings(session, f"{count} zones", path, done.stdout)
    session.check(len(sizes) == 2 and sizes[120] < 6 * sizes[30], f"bytes for zones: {sizes}")


def run(session, run_mistake):
    run_products(session)
    run_inputs(session, run_mistake)
    run_endings(session)
    run_hostile(session)
    os.makedirs(os.path.join(session.folder, "a folder.fw"), exist_ok=True)
    done = session.run("check", os.path.join(session.folder, "a folder.fw"))
    session.check_refusal("a folder as the policy", done, status_of_folder(done))


def status_of_folder(done):
    """A folder is a mistake of the command or a refusal of the world: 1 or 3."""
    return done.returncode if done is not None and done.returncode in (1, 3) else 3
