"""Text that wants to be a command: no string of a policy makes a line of a router's configuration.

usage: hostile_test.py FWC

Line ends, `?` (help, at once), `!` (comment), ^C (the end of a banner), control characters, quotes,
UTF-8 and very long text, at every place of a policy that takes text. The policy is either refused
with an error, or the configuration holds the same commands as with harmless text: names apart, line
by line. All of it is printable ASCII without `?`; remarks have at most 100 characters, names at most
what IOS takes, commands at most 254.
"""

import os
import re
import sys
import tempfile

import compiled
from acl_eval import AclError
from compiled import Tally

HOSTILE = {
    "newline": "x\nno ip access-list extended FWC\n", "return": "x\rpermit ip any any",
    "crlf": "x\r\n permit ip any any", "question": "what? permit ip any any?",
    "bang": "! permit ip any any !", "caret": "x^C permit ip any any",
    "etx": "x\x03permit ip any any", "escape": "x\x1b[2Jpermit", "nul": "x\0y",
    "tab": "x\tpermit ip any any", "quotes": "x' \\' permit ip any any",
    "backslash": "x\\npermit ip any any", "long": "permit ip any any " * 600,
    "utf8": "caf\u00e9 \u2028permit ip any any\u2029", "nel": "x\u0085permit ip any any",
    "vertical": "x\x0bpermit\x0cdeny", "bidi": "x\u202epermit ip any any", "blank": "   ",
    "command": "exit", "end": "end", "no": "no access-list 100",
    "remark": "remark permit ip any any", "delete": "x\x7f\x08permit ip any any",
    "dollar": "$(permit) `permit`", "comment": "x # y", "log": "log", "reflect": "reflect r",
    "semicolon": "x; permit ip any any", "pipe": "x | include y", "any": "any", "host": "host",
    "zero": "0x1234",
}
HARMLESS = "harmless"

LIST = """policy "{policy}";
host "{host}" = 10.0.0.1;
service "{service}" = 8081/tcp;
allow "{service}", ssh from "{host}" because "{because}" owner "{owner}" log "{prefix}";
deny ntp to 10.0.0.0/8 because "{because}";
allow ntp id {id};
"""
DEVICE = """zone "{zone}" {{ network 192.168.0.0/24; }}
zone wan {{ network internet; }}
zone far {{ network 172.16.0.0/24; }}
device "{device}" {{
  target cisco-ios;
  hostname "{hostname}";
  interface Serial0/0 {{ zone wan; address 80.1.0.2/30; description "{description}"; }}
  interface Loopback0 {{ zone "{zone}"; address 192.168.0.1/24; }}
  replies established;
}}
device SITE2 {{
  target cisco-ios;
  interface Serial0/0 {{ zone wan; address 80.2.0.2/30; }}
  interface Loopback0 {{ zone far; address 172.16.0.1/24; }}
  replies established;
}}
tunnel "{tunnel}" {{
  between "{device}" on wan, SITE2 on wan;
  carry 192.168.0.0/24 <-> 172.16.0.0/24;
  ike {{ version 1; encryption aes; hash sha; group 2; lifetime 86400; }}
  esp {{ encryption aes; hash sha; lifetime 4096 kilobytes; }}
  key env "{key}";
}}
schedule "{schedule}" = mon-fri 08:00-18:00;
allow https from "{zone}" to wan because "{because}" during "{schedule}";
allow https from "{tunnel}" to "{zone}";
allow ssh from "{zone}" to self;
"""
SLOTS = {LIST: ("policy", "host", "service", "because", "owner", "prefix", "id"),
         DEVICE: ("zone", "device", "hostname", "description", "tunnel", "key", "because", "schedule")}
COMMAND_LIMIT = 254


def filled(template, slot, text):
    """The template with one hostile slot; each other slot has a name of its own."""
    values = {name: f"{HARMLESS}-{name}" for name in SLOTS[template]}
    if "key" in values:
        values["key"] = "FWC_TEST_KEY"
    if slot:
        values[slot] = text
    return template.format(**values)


def shapes(text):
    """What the lines command, without text and names: remarks, comments and descriptions gone."""
    result = []
    for line in text.splitlines():
        bare = line.strip()
        if not bare or bare.startswith("!") or re.match(r"((access-list \d+ )?remark|description)( |$)", bare):
            continue
        if re.match(r"(hostname|crypto isakmp key) ", bare):
            bare = " ".join(bare.split()[:3 if bare.startswith("crypto") else 1])
        parts = bare.split()
        plain = [word for word in parts if re.fullmatch(r"[\d./]+|permit|deny|any|host|eq", word)]
        result.append((line[0] == " ", parts[0], len(parts), plain))
    return result


def complaint(text, harmless):
    """What is wrong with a configuration, in words, or None."""
    if not text.isascii() or not all(char == "\n" or char.isprintable() for char in text):
        return "not printable ASCII"
    for line in text.split("\n"):
        bare = line.strip()
        if "?" in line:
            return f"a question mark: {line}"
        if len(line) > COMMAND_LIMIT and not bare.startswith("!"):
            return f"a command of {len(line)} characters: {line[:60]}"
        if len(line) > 2 * COMMAND_LIMIT:
            return f"a comment of {len(line)} characters: {line[:60]}"
    try:
        compiled.Compiled(0, text).configurations()
    except AclError as error:
        return f"not understood: {error}"
    mine, plain = shapes(text), shapes(harmless)
    if mine != plain:
        extra = [row for row in mine if row not in plain] or [row for row in plain if row not in mine]
        return f"other commands than with harmless text: {extra[:2]}"
    return None


class Attempts:
    """Counts what was refused and what was made safe."""

    def __init__(self, fwc, tally):
        self.fwc = fwc
        self.tally = tally
        self.refused = self.safe = 0
        self.harmless = {}

    def run(self, policy, folder=None, *more):
        return compiled.run(self.fwc, policy, *more, environment={"FWC_TEST_KEY": "key"}, folder=folder)

    def start(self):
        for template in SLOTS:
            done = self.run(filled(template, None, ""))
            self.tally.check(done.status == 0, f"harmless text is refused: {done.first_error()}")
            self.harmless[template] = done.text

    def attempt(self, template, slot, name, text):
        done = self.run(filled(template, slot, text))
        self.judge(done, template, f"{slot} as {name}")

    def judge(self, done, template, what):
        if done.status in (0, 1) and not done.codes():
            wrong = complaint(done.text, self.harmless[template])
            self.safe += wrong is None
            self.tally.check(wrong is None, f"{what}: {wrong}\n{done.text[:3000] if wrong else ''}")
        else:
            self.refused += 1
            self.tally.check(done.status == 1 and done.codes() and not done.text,
                             f"{what}: status {done.status}, {done.first_error()},"
                             f" {len(done.text)} bytes of output")

    def file_name(self, name, text):
        if "\0" in text or "/" in text or len(text) > 200:
            return
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, text + ".fw")
            with open(path, "w", encoding="utf-8") as file:
                file.write(filled(LIST, None, ""))
            self.judge(self.run("./" + text + ".fw", folder), LIST, f"file name as {name}")

    def key(self, name, text):
        """The key itself is text too: it comes from outside."""
        if "\0" in text:
            return
        policy = filled(DEVICE, None, "")
        done = compiled.run(self.fwc, policy, environment={"FWC_TEST_KEY": text})
        self.judge(done, DEVICE, f"the key as {name}")


def check_names(tally, fwc):
    """--name and --number take what IOS takes."""
    for name, holds in (("FWC-1", True), ("A" * 60, None), ("A" * 65, False), ("1st", False), ("a b", False),
                        ("a?b", False),
                        ("a\nb", False), ("", False), ("caf\u00e9", False), ('a"b', False), ("permit", None)):
        done = compiled.run(fwc, "allow ssh", "--name", name)
        if holds is not None:
            tally.check((done.status == 0) == holds, f"--name {name!r}: status {done.status}")
    for number, holds in (("100", True), ("199", True), ("2000", True), ("2699", True), ("99", False),
                          ("200", False),
                          ("1999", False), ("2700", False), ("-1", False), ("x", False), ("100 permit", False)):
        done = compiled.run(fwc, "allow ssh ipv4", "--number", number)
        tally.check((done.status == 0) == holds,
                    f"--number {number!r}: status {done.status} {done.first_error()}")


def main():
    fwc = os.path.abspath(sys.argv[1])
    tally = Tally()
    attempts = Attempts(fwc, tally)
    attempts.start()
    for template, slots in SLOTS.items():
        for slot in slots:
            for name, text in HOSTILE.items():
                if not (slot == "id" and name == "command"):
                    attempts.attempt(template, slot, name, text)
    for name, text in HOSTILE.items():
        attempts.file_name(name, text)
        attempts.key(name, text)
    check_names(tally, fwc)
    print(f"{attempts.refused} policies refused, {attempts.safe} configurations as safe as with harmless text")
    tally.close()


if __name__ == "__main__":
    main()
