"""What status says after a boot."""

import json
import os
import signal
import subprocess
import time

import timer

OLD = ("zone lan { interface lan0; network 10.1.0.0/16; }\n"
       "allow ssh rescue; allow http from lan limit 5/second per source; deny p2p;\n")
NEW = "allow https, 9000/udp;\n"


def compiled(world, name="other.batch"):
    path = world.path(name)
    done = subprocess.run([world.fwc, "compile", world.path("old.fw", OLD), "--target", "nft-batch", "-o", path],
                          capture_output=True, text=True, check=False)
    world.check(done.returncode == 0, done.stderr)
    return path


def boots(world, path, status, cwd=None):
    done = subprocess.run([world.fwc, "boot", path], capture_output=True, text=True, check=False, cwd=cwd)
    world.check(done.returncode == status, f"boot {path}: {done.returncode} {done.stderr}")


def says(world, status, *words, options=()):
    done = world.run("status", *options)
    for word in words:
        world.check(done.returncode == status and word in done.stdout,
                    f"{done.returncode}, without '{word}': {done.stdout} {done.stderr}")
    return done.stdout


def case_compiled_batch(world):
    """It is known by its checksum, with and without the whole path, until somebody changes the table."""
    path = compiled(world)
    with open(path, "rb") as file:
        digits = file.read()[72:104].hex()
    for where, cwd in ((path, None), (os.path.basename(path), world.folder)):
        boots(world, where, 0, cwd)
        told = says(world, 0, f"booted from a batch, sha256 {digits}, {path}\n", "holds what was booted\n")
        world.check("somebody" not in told and f"booted policy sha256 {digits}" in world.nft("list ruleset"), told)
    booted = json.loads(says(world, 0, '"kernel": "same"', options=["--json"]))["booted"]
    world.check(booted == {"what": "policy", "sha256": digits, "file": path}, f"{booted}")
    says(world, 0, "holds what was booted\n", options=["--elements"])
    world.nft("add rule inet fwc input tcp dport 7 accept")
    says(world, 1, "booted from a batch", "somebody has changed")
    boots(world, path, 0)
    os.rename(path, path + ".away")
    says(world, 1, "not known: its batch is not there")
    plan = world.run("plan", world.path("old.fw"), "--exit-code")
    world.check("nothing in the state says" in plan.stdout and "add " not in plan.stdout, plan.stdout)
    world.must("apply", world.path("old.fw"), "--confirm", "0")
    says(world, 0, "entry 1", "holds what was applied")
    world.check("booted" not in world.nft("list ruleset"), "the chain of the boot stays")


def case_less_than_the_policy(world):
    """The rescue batch and the built-in rules are not what was wanted."""
    path = compiled(world)
    os.truncate(path, 200)
    boots(world, path, 10)
    says(world, 1, "booted from a rescue batch, for", path + ".rescue", "holds what was booted\n")
    os.unlink(path + ".rescue")
    boots(world, path, 11)
    says(world, 1, "booted with the built-in rules", "holds what was booted\n")
    world.nft("add rule inet fwc input tcp dport 7 accept")
    says(world, 1, "booted with the built-in rules", "somebody has changed")


def case_after_an_apply(world):
    """What apply has kept for a boot is that entry again; another batch is not."""
    path = compiled(world)
    world.must("apply", world.path("new.fw", NEW), "--confirm", "0")
    world.nft("flush ruleset")
    boots(world, os.path.join(world.state, "boot.batch"), 0)
    says(world, 0, "entry 1", "holds what was applied\n")
    boots(world, path, 0)
    says(world, 1, "booted from a batch", "holds what was booted\n", "entry 1 (", "is not in force")
    os.truncate(os.path.join(world.state, "boot.batch"), 100)
    boots(world, os.path.join(world.state, "boot.batch"), 10)
    says(world, 1, "rescue batch", "holds what was booted\n", "entry 1 (", "is not in force")


def case_trial_that_the_machine_ended(world):
    """What was on trial then is not in force; what was confirmed before is, and as it should be."""
    world.must("apply", world.path("old.fw", OLD), "--confirm", "0")
    before = world.rules()
    process = world.start("apply", world.path("new.fw", NEW), "--confirm", "600")
    world.check(timer.on_trial(world, process, before), "not loaded")
    for pid in (process.pid, *timer.guards()):
        os.kill(pid, signal.SIGKILL)
    process.communicate()
    world.check(world.wait(lambda: not list(timer.guards())), "not killed")
    world.nft("flush ruleset")
    boots(world, os.path.join(world.state, "boot.batch"), 0)
    says(world, 0, "entry 1", "holds what was applied\n", "entry 2 (", "was on trial when")
    lost = json.loads(says(world, 0, '"kernel": "same"', options=["--json"]))["lost"]
    world.check(lost["number"] == 2, f"{lost}")


def verifies(world, policy):
    return subprocess.run([world.fwc, "verify", policy], capture_output=True, check=False).returncode


def case_large_set(world):
    """Status looks at a large set's count; --elements at each of them."""
    size = 70000 if not world.has_sanitizer else 66000
    world.path("list.txt", "".join(f"10.{n >> 15 & 255}.{n >> 7 & 255}.{n * 2 & 255}\n" for n in range(size)))
    policy = world.path("large.fw", 'network many = file "list.txt";\nallow ssh from many;\n')
    world.must("apply", policy, "--confirm", "0", "--no-proof")
    start = time.monotonic()
    told = says(world, 0, "holds what was applied, of large sets as many elements")
    seconds = time.monotonic() - start
    world.check(seconds < (0.5 if not world.has_sanitizer else 5), f"{seconds} s: {told}")
    says(world, 0, "holds what was applied\n", options=["--elements"])
    large = next(line.split()[1] for line in world.nft("-t list sets").splitlines() if line.startswith("\tset"))
    world.check(verifies(world, policy) == 0 and "no changes" in world.run("plan", policy).stdout, "verify, plan")
    world.nft(f"delete element inet fwc {large} {{ 10.0.0.0 }}")
    world.nft(f"add element inet fwc {large} {{ 192.0.2.1 }}")
    says(world, 0, "of large sets as many")
    says(world, 1, "somebody has changed", options=["--elements"])
    plan = world.run("plan", policy, "--exit-code")
    world.check(verifies(world, policy) == 1 and plan.returncode == 10 and "somebody has changed" in plan.stdout and
                "1 element" in plan.stdout, f"{plan.returncode} {plan.stdout}")
    world.nft(f"delete element inet fwc {large} {{ 192.0.2.1 }}")
    says(world, 1, "somebody has changed")
