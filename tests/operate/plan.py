"""A plan: what would change, against what then does change. It changes nothing itself."""

import json
import os
import re
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OLD = 'allow ssh count id shell;\nallow 8000-8100/tcp, dns from 10.9.0.0/24;\ndeny p2p;\nallow 25/tcp, 25/udp;\n'
NEW = '# moved\nallow ssh count id shell;\nallow https;\nallow 8000-8100/tcp, dns from 10.8.0.0/24;\ndeny p2p;\n'


def examples():
    folder = os.path.join(TOP, "examples")
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if name.endswith(".fw"):
            with open(path, encoding="utf-8") as file:
                if not re.search(r"^device ", file.read(), re.M):
                    yield path


def planned(world, path, status):
    done = world.run("plan", path, "--json", "--exit-code")
    world.check(done.returncode == status, f"plan of {path}: {done.returncode} {done.stderr[:300]}")
    return json.loads(done.stdout) if done.stdout else {}


def sums(side):
    return sum(place["rules"] for place in side), sum(place["elements"] for place in side)


def case_nothing_after_apply(world):
    """What was applied needs no change: whatever the kernel makes of it reads as it was written."""
    for path in examples():
        world.nft("flush ruleset")
        first = planned(world, path, 10)
        world.must("apply", path, "--confirm", "0", "--no-proof")
        again = planned(world, path, 0)
        world.check(again["add"] == again["remove"] == [] and again["drift"] == "none" and
                    sums([again["keep"]]) == sums(first["add"]) and not first["remove"] and
                    again["changes-in-meaning"] == 0, f"{path}: {again}")


def rules_of(world):
    """Rules in the kernel, as nft lists them: its own count of what a plan says."""
    chains = re.findall(r"\tchain \S+ \{\n(.*?)\t\}", world.nft("list table inet fwc"), re.S)
    lines = [line for chain in chains for line in chain.splitlines() if line.strip()]
    return [line for line in lines if not re.match(r"\t\t(type|comment) ", line)]


def case_counts_and_meaning(world):
    """Rules that go and come add up to those in the kernel; lines that moved are kept."""
    old, new = world.path("old.fw", OLD), world.path("new.fw", NEW)
    world.must("apply", old, "--confirm", "0")
    rules, before, history = len(rules_of(world)), world.rules(), world.history()
    plan = planned(world, new, 10)
    world.check(world.rules() == before and world.history() == history, "a plan changed something")
    world.check(sums(plan["remove"])[0] + plan["keep"]["rules"] == rules, f"{rules} rules before: {plan}")
    world.check(all(place["place"] in (None, f"{old}:2", f"{old}:4") for place in plan["remove"]),
                f"{plan['remove']}")
    changes = plan["meaning"]["changes"]
    world.check(len(changes) == plan["changes-in-meaning"], f"{changes}")
    world.check(any(change["kind"] == "allowed" and change["now"]["place"] == f"{new}:4" and
                    change["before"]["verdict"] == "deny" and " -> " in change["packet"] for change in changes) and
                any(change["kind"] == "denied" and change["before"]["place"] == f"{old}:2" for change in changes),
                f"{changes}")
    text = world.run("plan", new).stdout
    for words in ("newly allowed", "newly denied", "https", "10.8.0.0/24", "10.9.0.0/24", "for example tcp",
                  f"{new}:4", f"{old}:2"):
        world.check(words in text, f"{words} is not in the plan: {text}")
    world.must("apply", new, "--confirm", "0")
    world.check(sums(plan["add"])[0] + plan["keep"]["rules"] == len(rules_of(world)), f"rules after: {plan}")
    world.check(planned(world, new, 0)["changes-in-meaning"] == 0, "a plan of what is in force")


def case_drift(world):
    """What somebody else did to the table is told, and goes."""
    policy = world.path("p.fw", OLD)
    world.must("apply", policy, "--confirm", "0")
    world.nft("add table ip elsewhere")
    world.check(planned(world, policy, 0)["drift"] == "none", "another table")
    world.nft("add rule inet fwc input accept")
    plan = planned(world, policy, 10)
    world.check(plan["drift"] == "changed" and sums(plan["remove"])[0] == 1 and plan["add"] == [], f"{plan}")
    world.check("somebody has changed" in world.run("plan", policy).stdout, "in words")
    world.must("apply", policy, "--confirm", "0")
    world.nft("delete table inet fwc")
    text = world.run("plan", policy).stdout
    world.check("the kernel has no table" in text and "newly denied" in text and "<no table>" in text, text[:500])


def case_kernel_for_machines(world):
    """diff with the kernel on one side has the form of a plan's meaning."""
    policy = world.path("p.fw", OLD)
    world.must("apply", policy, "--confirm", "0")

    def told():
        done = subprocess.run([world.fwc, "diff", policy, "kernel:", "--json"], capture_output=True, text=True,
                              check=False)
        return done.returncode, json.loads(done.stdout)

    status, same = told()
    world.check(status == 0 and same["changes"] == [], f"{status} {same}")
    world.nft("insert rule inet fwc input tcp dport 4711 accept")
    status, other = told()
    change = (other["changes"] or [{}])[0]
    world.check(status == 1 and change.get("kind") == "allowed" and change["hooks"] == ["input"] and
                "new" in change["states"] and not change["is_perhaps"] and "4711" in change["region"][0] and
                "chain input" in change["now"]["verdict"] and other["is_in_kernel"], f"{status} {other}")


def case_mistakes(world):
    """Of a policy with mistakes there is no plan."""
    done = world.run("plan", world.path("bad.fw", "allow nonsense-service;\n"), "--exit-code")
    world.check(done.returncode == 1 and done.stdout == "" and "error" in done.stderr, f"{done.returncode}")
    for words in ((), ("a.fw", "b.fw"), ("a.fw", "--confirm", "3")):
        world.check(world.run("plan", *words).returncode == 2, f"{words}")


def case_options_left_out(world):
    """Who forgets an option is told what the running table was made with; who says it, or another, is not."""
    path = world.path("options.fw", OLD)
    options = ("--count", "--log-group", "5", "--optimise", "2")
    world.must("apply", path, "--confirm", "0", *options)
    for again, says in (((), " ".join(options)), (("--count",), "--log-group 5 --optimise 2"), (options, None),
                        (("--count", "--log-group", "6", "--optimise", "0"), None)):
        done = world.run("plan", path, *again)
        said = re.search(r"was applied with '(.*)', and this is not \[FW1411\]", done.stderr)
        world.check(done.returncode == 0 and (said and said[1]) == says, f"{again}: {done.stderr}")
    for says in (True, False):
        done = world.run("apply", path, "--confirm", "0")
        world.check(done.returncode == 0 and ("FW1411" in done.stderr) == says, f"left out: {done.stderr}")
