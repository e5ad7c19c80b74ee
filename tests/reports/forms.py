"""What SARIF 2.1.0 and JUnit's XML ask of a report, as tables; and readers of others, where Debian has them.

SARIF: the members that a log may have that says what fwc's say, after the OASIS standard (sections 3.13 to
3.58): of each object which members there are, which must be there, and what their values may be. Members
that are not listed are refused, as the standard's schema has it. JUNIT: what Ant writes and Jenkins reads
(testsuites, testsuite, testcase), as an XML schema.
"""

import json
import re
import subprocess

LEVELS = ("none", "note", "warning", "error")
URI = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*")


def text(value):
    return isinstance(value, str) and value != ""


def uri(value):
    return text(value) and URI.fullmatch(value) and not re.search(r"%(?![0-9A-Fa-f]{2})", value)


def one_of(*words):
    return lambda value: value in words


def at_least(low):
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= low


# object: {member: (is it needed, what it is)}; a name in brackets: an array of such objects, with "!" of
# which no two are alike
SARIF = {
    "sarifLog": {"$schema": (False, uri), "version": (True, one_of("2.1.0")), "runs": (True, ["run"])},
    "run": {"tool": (True, "tool"), "results": (False, ["result"]),
            "columnKind": (False, one_of("utf16CodeUnits", "unicodeCodePoints"))},
    "tool": {"driver": (True, "toolComponent")},
    "toolComponent": {"name": (True, text), "version": (False, text), "informationUri": (False, uri),
                      "rules": (False, ["reportingDescriptor!"])},
    "reportingDescriptor": {"id": (True, text), "name": (False, text), "helpUri": (False, uri),
                            "shortDescription": (False, "multiformatMessageString"),
                            "fullDescription": (False, "multiformatMessageString"),
                            "help": (False, "multiformatMessageString"),
                            "defaultConfiguration": (False, "reportingConfiguration")},
    "multiformatMessageString": {"text": (True, text), "markdown": (False, text)},
    "reportingConfiguration": {"level": (False, one_of(*LEVELS))},
    "result": {"message": (True, "message"), "ruleId": (False, text), "ruleIndex": (False, at_least(-1)),
               "level": (False, one_of(*LEVELS)), "locations": (False, ["location"]),
               "relatedLocations": (False, ["location!"]), "suppressions": (False, ["suppression!"])},
    "message": {"text": (True, text), "markdown": (False, text)},
    "location": {"physicalLocation": (False, "physicalLocation"), "message": (False, "message")},
    "physicalLocation": {"artifactLocation": (False, "artifactLocation"), "region": (False, "region")},
    "artifactLocation": {"uri": (False, uri)},
    "region": {"startLine": (False, at_least(1)), "startColumn": (False, at_least(1)),
               "endLine": (False, at_least(1)), "endColumn": (False, at_least(1))},
    "suppression": {"kind": (True, one_of("inSource", "external")),
                    "status": (False, one_of("accepted", "underReview", "rejected")),
                    "justification": (False, text)},
}
JUNIT = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:complexType name="outcome" mixed="true">
  <xs:attribute name="type"/><xs:attribute name="message"/>
</xs:complexType>
<xs:element name="testcase"><xs:complexType>
  <xs:choice minOccurs="0" maxOccurs="unbounded">
    <xs:element name="skipped" type="outcome"/><xs:element name="error" type="outcome"/>
    <xs:element name="failure" type="outcome"/>
    <xs:element name="system-out" type="xs:string"/><xs:element name="system-err" type="xs:string"/>
  </xs:choice>
  <xs:attribute name="name" use="required"/><xs:attribute name="classname" use="required"/>
  <xs:attribute name="time" type="xs:decimal"/>
</xs:complexType></xs:element>
<xs:element name="testsuite"><xs:complexType>
  <xs:sequence><xs:element ref="testcase" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
  <xs:attribute name="name" use="required"/>
  <xs:attribute name="tests" type="xs:nonNegativeInteger" use="required"/>
  <xs:attribute name="failures" type="xs:nonNegativeInteger" use="required"/>
  <xs:attribute name="errors" type="xs:nonNegativeInteger" use="required"/>
  <xs:attribute name="skipped" type="xs:nonNegativeInteger"/>
  <xs:attribute name="time" type="xs:decimal"/>
</xs:complexType></xs:element>
<xs:element name="testsuites"><xs:complexType>
  <xs:sequence><xs:element ref="testsuite" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
</xs:complexType></xs:element>
</xs:schema>
"""


def sarif_mistakes(value, kind="sarifLog", where="$"):
    """What of the object the table does not know, or misses."""
    if not isinstance(value, dict):
        return [f"{where}: no object"]
    members = SARIF[kind]
    found = [f"{where}.{name}: no member of {kind}" for name in value if name not in members]
    for name, (is_needed, what) in members.items():
        place = f"{where}.{name}"
        if name in value:
            found += member_mistakes(value[name], what, place)
        elif is_needed:
            found.append(f"{place}: missing")
    return found


def member_mistakes(value, what, where):
    if isinstance(what, str):
        return sarif_mistakes(value, what, where)
    if not isinstance(what, list):
        return [] if what(value) else [f"{where}: {value!r}"]
    if not isinstance(value, list):
        return [f"{where}: no array"]
    texts = [json.dumps(item, sort_keys=True) for item in value]
    found = [f"{where}: two are alike"] if what[0].endswith("!") and len(set(texts)) < len(texts) else []
    for index, item in enumerate(value):
        found += sarif_mistakes(item, what[0].rstrip("!"), f"{where}[{index}]")
    return found


def reference_mistakes(log):
    """What the members say of each other: rules by index, regions that end behind their begin."""
    found = []
    for run in log["runs"]:
        rules = run["tool"]["driver"].get("rules", [])
        for result in run.get("results", []):
            index = result.get("ruleIndex", -1)
            if index >= 0 and (index >= len(rules) or rules[index]["id"] != result["ruleId"]):
                found.append(f"ruleIndex {index} is not {result['ruleId']}")
            for place in result.get("locations", []) + result.get("relatedLocations", []):
                region = place["physicalLocation"]["region"]
                if (region["startLine"], region["startColumn"]) >= (region["endLine"], region["endColumn"]):
                    found.append(f"an empty region: {region}")
    return found


def without_python(module):
    """Whether Debian's Python lacks a module."""
    done = subprocess.run(["/usr/bin/python3", "-c", f"import {module}"], capture_output=True, check=False)
    return done.returncode != 0


# Objects of sarif_om, which was made of the standard's schema, know the members and the needed ones.
READ_SARIF = r"""
import json, re, sys, attr, sarif_om
KINDS = {"": "SarifLog", "runs": "Run", "tool": "Tool", "driver": "ToolComponent", "results": "Result",
         "rules": "ReportingDescriptor", "shortDescription": "MultiformatMessageString",
         "help": "MultiformatMessageString", "defaultConfiguration": "ReportingConfiguration",
         "message": "Message", "locations": "Location", "relatedLocations": "Location",
         "suppressions": "Suppression", "physicalLocation": "PhysicalLocation",
         "artifactLocation": "ArtifactLocation", "region": "Region"}
def read(value, name):
    if isinstance(value, list):
        return [read(item, name) for item in value]
    if not isinstance(value, dict):
        return value
    kind = getattr(sarif_om, KINDS[name])
    names = {item.metadata["schema_property_name"]: item.name for item in attr.fields(kind)}
    return kind(**{names[member]: read(inner, member) for member, inner in value.items()})
for path in sys.argv[1:]:
    log = read(json.load(open(path, encoding="utf-8")), "")
    print(path, len(log.runs[0].results))
"""
READ_JUNIT = r"""
import sys, junitparser
for path in sys.argv[1:]:
    xml = junitparser.JUnitXml.fromfile(path)
    for suite in xml:
        told = (suite.tests, suite.failures, suite.errors, suite.skipped)
        suite.update_statistics()
        if told != (suite.tests, suite.failures, suite.errors, suite.skipped):
            sys.exit(f"{path}: {told} are told")
        print(path, suite.tests, suite.failures, suite.skipped)
"""


def read_by(script, paths):
    """(lines, what was wrong) of a script of Debian's Python over files."""
    done = subprocess.run(["/usr/bin/python3", "-c", script, *paths], capture_output=True, text=True, check=False)
    return done.stdout.splitlines(), done.stderr[-500:] if done.returncode else ""
