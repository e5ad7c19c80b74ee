"""The forms of `fwc check --format`: what build servers and code hosts read, held against readers of
XML and JSON that know nothing of fwc; and --strict."""

import json
import os
import subprocess
import sys
import tempfile
import urllib.parse
import xml.etree.ElementTree

FWC = os.path.abspath(sys.argv[1])
passed = failed = 0

CLEAN = "allow ssh from 10.0.0.0/8;\n"
WARNED = "allow sftp from 10.0.0.0/8;\n"
EXPECTED = 'expect trap because "the old one";\nallow sftp from 10.0.0.0/8;\n'
BROKEN = "allow kerbros;\nhost a = 10.0.0.1;\nhost a = 10.0.0.2;\n"
HOSTILE = 'allow "]]>&<b\\"\u202e\u0301 nix";\n'


def check(condition, words):
    global passed, failed
    if condition:
        passed += 1
    else:
        failed += 1
        print("failed:", words)


def run(folder, name, text, *options):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    done = subprocess.run([FWC, "check", *options, name], cwd=folder, capture_output=True)
    return done.returncode, done.stdout, done.stderr


def sarif_results(output):
    log = json.loads(output)
    check(log["version"] == "2.1.0", "sarif: version")
    (one,) = log["runs"]
    rules = one["tool"]["driver"]["rules"]
    check(len({rule["id"] for rule in rules}) == len(rules), "sarif: a rule stands once")
    for result in one["results"]:
        check(rules[result["ruleIndex"]]["id"] == result["ruleId"], "sarif: ruleIndex")
        check(result["level"] in ("error", "warning", "note"), "sarif: level")
        for place in result["locations"] + result["relatedLocations"]:
            region = place["physicalLocation"]["region"]
            begin = (region["startLine"], region["startColumn"])
            check(begin >= (1, 1) and begin < (region["endLine"], region["endColumn"]),
                  f"sarif: region {region}")
    return one["results"]


def test_sarif(folder):
    check(sarif_results(run(folder, "a.fw", CLEAN, "--format", "sarif")[1]) == [], "sarif: clean")
    status, output, talk = run(folder, "ä b.fw", BROKEN, "--format", "sarif")
    results = sarif_results(output)
    check(status == 1 and talk == b"", "sarif: status of mistakes")
    check([result["ruleId"] for result in results] == ["FW0301", "FW0305"] or len(results) == 2,
          f"sarif: {[result['ruleId'] for result in results]}")
    uri = results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    check(urllib.parse.unquote(uri) == "ä b.fw" and uri.isascii(), f"sarif: uri {uri}")
    check(any(result["relatedLocations"] for result in results), "sarif: the other definition")
    results = sarif_results(run(folder, "a.fw", EXPECTED, "--format", "sarif")[1])
    check(results[0].get("suppressions") == [{"kind": "inSource"}], "sarif: suppressed")
    sarif_results(run(folder, "a.fw", HOSTILE, "--format", "sarif")[1])


def suite_of(output):
    return xml.etree.ElementTree.fromstring(output).find("testsuite")


def test_junit(folder):
    suite = suite_of(run(folder, "a.fw", CLEAN, "--format", "junit")[1])
    check(suite.get("tests") == "1" and suite.get("failures") == "0", "junit: clean")
    for text, failures, skipped in ((WARNED, 1, 0), (EXPECTED, 0, 1), (BROKEN, 2, 0)):
        suite = suite_of(run(folder, "a.fw", text, "--format", "junit")[1])
        check(len(suite.findall("testcase/failure")) == failures == int(suite.get("failures")),
              f"junit: failures of {text!r}")
        check(len(suite.findall("testcase/skipped")) == skipped == int(suite.get("skipped")),
              f"junit: skipped of {text!r}")
        check(len(suite.findall("testcase")) == int(suite.get("tests")), "junit: tests")
    suite = suite_of(run(folder, "a.fw", HOSTILE, "--format", "junit")[1])
    check(len(suite.findall("testcase")) == int(suite.get("tests")), "junit: hostile text")


def test_strict(folder):
    check(run(folder, "a.fw", WARNED)[0] == 0, "a warning passes")
    check(run(folder, "a.fw", WARNED, "--strict")[0] == 1, "a warning fails under --strict")
    check(run(folder, "a.fw", EXPECTED, "--strict")[0] == 0, "an expected warning passes")
    done = subprocess.run([FWC, "compile", "--strict", "-o", "out.nft", "a.fw"], cwd=folder,
                          capture_output=True)
    check(done.returncode == 0, "compile --strict of an expected warning")
    os.remove(os.path.join(folder, "out.nft"))
    with open(os.path.join(folder, "a.fw"), "w", encoding="utf-8") as file:
        file.write(WARNED)
    for command in (["compile", "--strict", "a.fw"],
                    ["compile", "--strict", "-o", "out.nft", "a.fw"]):
        done = subprocess.run([FWC, *command], cwd=folder, capture_output=True)
        check(done.returncode == 1 and done.stdout == b"", f"{command}: nothing is printed")
        check(not os.path.exists(os.path.join(folder, "out.nft")), f"{command}: nothing is written")


def test_large(folder):
    """A compilation leaves the comparison of very many rules to `check`, and says so."""
    text = "".join(f"allow ssh from 10.{n >> 8}.{n & 255}.0/24;\n" for n in range(2100))
    text += "allow ssh from 10.0.7.0/25;\n"
    path = os.path.join(folder, "large.fw")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    done = subprocess.run([FWC, "compile", path], capture_output=True, text=True)
    check(done.returncode == 0 and "[FW1113]" in done.stderr and "[FW1102]" not in done.stderr,
          "compile leaves it out")
    done = subprocess.run([FWC, "check", path], capture_output=True, text=True)
    check(done.returncode == 0 and "[FW1113]" not in done.stderr and "[FW1102]" in done.stderr,
          "check compares")


def main():
    with tempfile.TemporaryDirectory() as folder:
        test_sarif(folder)
        test_junit(folder)
        test_strict(folder)
        test_large(folder)
        status, output, talk = run(folder, "a.fw", CLEAN, "--format", "xml")
        check(status == 2 and output == b"" and b"no format 'xml'" in talk, "unknown format")
        status, output, talk = run(folder, "a.fw", WARNED, "--format", "json")
        check(json.loads(output)["warnings"] == 1 and talk == b"", "json on stdout")
        status, output, talk = run(folder, "a.fw", WARNED, "--format", "text")
        check(b"warning:" in output and talk == b"", "text on stdout")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
