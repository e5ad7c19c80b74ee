"""The forms of `fwc check --format`: what build servers and code hosts read, held against readers of
XML and JSON that know nothing of fwc; and --strict."""

import concurrent.futures
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import xml.etree.ElementTree

import forms

FWC = os.path.abspath(sys.argv[1])
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
passed = failed = skipped = 0

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


# --- every policy of the cases, by tables and by readers of others ---------------------------------------


def skip(words):
    global skipped
    skipped += 1
    print("skipped:", words)


def reports_of_cases(folder):
    """{form: paths} of the reports of every policy that the cases and the examples have."""
    policies = sorted(glob.glob(os.path.join(TOP, "tests", "cases", "*", "policy.fw")) +
                      glob.glob(os.path.join(TOP, "examples", "*.fw")))
    paths = {"sarif": [], "junit": []}

    def write(job):
        index, policy, form = job
        done = subprocess.run([FWC, "check", "--conflicts", "--format", form, os.path.basename(policy)],
                              cwd=os.path.dirname(policy), capture_output=True, check=False, timeout=60)
        path = os.path.join(folder, f"{index}.{form}")
        with open(path, "wb") as file:
            file.write(done.stdout)
        return form, path, done.stdout

    jobs = [(index, policy, form) for index, policy in enumerate(policies) for form in paths]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as workers:
        for form, path, output in workers.map(write, jobs):
            if output:
                paths[form].append(path)
    return paths


def sizes(paths, count):
    """Of each report what this reader counts in it: "PATH N ...", as the others print it."""
    return [f"{path} {' '.join(map(str, count(path)))}" for path in paths]


def check_sarif_forms(paths):
    results = 0
    for path in paths:
        with open(path, encoding="utf-8") as file:
            log = json.load(file)
        mistakes = forms.sarif_mistakes(log) or forms.reference_mistakes(log)
        results += len(log["runs"][0]["results"])
        check(not mistakes, f"sarif: {mistakes[:3]}")
    print(f"{len(paths)} SARIF logs with {results} results are as the standard has them")
    if forms.without_python("sarif_om"):
        return skip("Debian's python3-sarif-python-om is not here")

    def count(path):
        with open(path, encoding="utf-8") as file:
            return [len(json.load(file)["runs"][0]["results"])]
    lines, wrong = forms.read_by(forms.READ_SARIF, paths)
    return check(lines == sizes(paths, count), f"sarif: sarif_om: {wrong}")


def check_junit_forms(folder, paths):
    schema = os.path.join(folder, "junit.xsd")
    with open(schema, "w", encoding="utf-8") as file:
        file.write(forms.JUNIT)
    if shutil.which("xmllint"):
        done = subprocess.run(["xmllint", "--noout", "--schema", schema, *paths], capture_output=True, text=True,
                              check=False)
        wrong = [line for line in done.stderr.splitlines() if not line.endswith(" validates")]
        check(done.returncode == 0 and not wrong, f"junit: xmllint: {wrong[:3]}")
        print(f"{len(paths)} JUnit reports are as the schema has them")
    else:
        skip("xmllint is not here")
    if forms.without_python("junitparser"):
        return skip("Debian's python3-junitparser is not here")

    def count(path):
        suite = xml.etree.ElementTree.parse(path).getroot().find("testsuite")
        return [len(suite.findall(which)) for which in ("testcase", "testcase/failure", "testcase/skipped")]
    lines, wrong = forms.read_by(forms.READ_JUNIT, paths)
    return check(lines == sizes(paths, count), f"junit: junitparser: {wrong}")


def test_tables():
    """The table sees what is wrong: a member too many, one too few, a value that is none."""
    good = {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": [
        {"message": {"text": "m"}, "level": "note", "relatedLocations": []}]}]}
    check(forms.sarif_mistakes(good) == [], "the table refuses a good log")
    for change in ('"note"|"notice"', '"text": "m"|"txt": "m"', '"2.1.0"|"2.0"', '[]|[{}, {}]', '"name": "x"|'):
        old, new = change.split("|")
        bad = json.loads(json.dumps(good).replace(old, new))
        check(len(forms.sarif_mistakes(bad)) > 0, f"the table takes {change}")


def test_forms(folder):
    test_tables()
    paths = reports_of_cases(folder)
    check(len(paths["sarif"]) > 200 and len(paths["junit"]) == len(paths["sarif"]), "reports of every case")
    check_sarif_forms(paths["sarif"])
    check_junit_forms(folder, paths["junit"])


def main():
    with tempfile.TemporaryDirectory() as folder:
        test_sarif(folder)
        test_junit(folder)
        test_strict(folder)
        test_large(folder)
        test_forms(folder)
        status, output, talk = run(folder, "a.fw", CLEAN, "--format", "xml")
        check(status == 2 and output == b"" and b"no format 'xml'" in talk, "unknown format")
        status, output, talk = run(folder, "a.fw", WARNED, "--format", "json")
        check(json.loads(output)["warnings"] == 1 and talk == b"", "json on stdout")
        status, output, talk = run(folder, "a.fw", WARNED, "--format", "text")
        check(b"warning:" in output and talk == b"", "text on stdout")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed else 0)


main()
