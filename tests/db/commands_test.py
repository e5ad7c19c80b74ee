"""`fwc service`: what it answers, and that an imported file compiles.

argv[1] is the binary. The imported files are the machine's /etc/services, where it has one, and
one in Windows' form (tabs, CRLF, an alias, a comment with quotes)."""

import json
import os
import subprocess
import sys
import tempfile

WINDOWS = ('# Copyright\r\nmyapp\t\t7777/tcp\tmy-alias\t# My "app"\r\nmyapp\t\t7777/udp\r\n'
           'ssh 22/tcp\r\nhttp 8080/tcp\r\nrtmp 1/ddp\r\n')


class Tally:
    """Counts, and says what did not hold."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, holds, what):
        self.passed += bool(holds)
        self.failed += not holds
        if not holds:
            print(f"FAILED: {what}")


def fwc(binary, *arguments):
    done = subprocess.run([binary, *arguments], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


def compiles(binary, folder, definitions):
    path = os.path.join(folder, "imported.fw")
    with open(path, "w", encoding="utf-8") as file:
        file.write(definitions + "allow ssh;\n")
    status, output, talk = fwc(binary, "check", path)  # which warns of services that nobody uses
    return (status, output) == (0, "") and "error" not in talk and \
        fwc(binary, "fmt", "--check", path)[0] == 0


def check_import(tally, binary, folder, path):
    for options in ((), ("--override",)):
        status, output, errors = fwc(binary, "service", "import", path, *options)
        tally.check(status == 0 and not errors, f"import {path} {options}: {errors}")
        tally.check(compiles(binary, folder, output), f"import {path} {options} compiles")


def check_windows(tally, binary, folder):
    path = os.path.join(folder, "services")
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(WINDOWS)
    check_import(tally, binary, folder, path)
    plain = fwc(binary, "service", "import", path)[1]
    tally.check("service myapp \"My 'app'\" {\n    7777/tcp;\n    7777/udp;\n    alias my-alias;"
                in plain, "lines of one name are one definition")
    tally.check("service ssh" not in plain and "service http" not in plain,
                "built-in names are not defined again")
    tally.check("override service http {\n    8080/tcp;" in
                fwc(binary, "service", "import", path, "--override")[1], "--override redefines")
    with open(path, "a", encoding="utf-8") as file:
        file.write("no port here\n")
    status, output, errors = fwc(binary, "service", "import", path)
    tally.check(status == 1 and not output and ":7:1: error" in errors, "a bad line is named")


def check_answers(tally, binary):
    names = {item["name"] for item in json.loads(
        fwc(binary, "service", "search", "telecopie", "--json")[1])}
    tally.check("fax-server" in names, "search ignores accents")
    tally.check("fax-server" in fwc(binary, "service", "search", "télécopie")[1], "search takes them")
    show = json.loads(fwc(binary, "service", "show", "KRB5", "--json")[1])
    tally.check([item["name"] for item in show] == ["kerberos"], "show takes aliases in any case")
    tally.check(show[0]["pairs"] == ["88/tcp", "88/udp"], "show gives exact pairs")
    port = {item["name"] for item in json.loads(fwc(binary, "service", "port", "88/tcp", "--json")[1])}
    tally.check({"kerberos", "domain-controller"} <= port and "http" not in port, "port finds by port")
    tagged = json.loads(fwc(binary, "service", "list", "--tag", "p2p", "--json")[1])
    tally.check(tagged and all("p2p" in item["tags"] for item in tagged), "list --tag")
    status, output, errors = fwc(binary, "service", "show", "kerbros")
    tally.check(status == 1 and not output and "kerberos" in errors, "show names the nearest")
    tally.check(fwc(binary, "service", "port", "kerberos")[0] == 2, "a port has a form")
    tally.check(fwc(binary, "service", "frobnicate")[0] == 2, "an unknown verb is a misuse")


def main():
    tally, binary = Tally(), os.path.abspath(sys.argv[1])
    check_answers(tally, binary)
    with tempfile.TemporaryDirectory() as folder:
        check_windows(tally, binary, folder)
        if os.path.exists("/etc/services"):
            check_import(tally, binary, folder, "/etc/services")
        else:
            print("skipped: no /etc/services here")
    print(f"{tally.passed} passed, {tally.failed} failed")
    sys.exit(1 if tally.failed else 0)


if __name__ == "__main__":
    main()
