"""What goes wrong at three in the morning: closed files, small limits, rules that are gone, two tables."""

import os
import resource
import signal
import subprocess
import time

OLD = "allow ssh count id shell; default deny log;\n"
NEW = "allow https;\n"


def without_standard_files():
    os.closerange(0, 3)


def case_standard_files_closed(world):
    """Messages go nowhere, rather than into a file of the state or a socket; the way back works."""
    old, new = world.path("old.fw", OLD), world.path("new.fw", NEW)
    for number in range(1, 3):
        done = subprocess.run(world.command("apply", old, "--confirm", "0"), preexec_fn=without_standard_files,
                              check=False, cwd=world.folder)
        world.check(done.returncode == 0 and len(world.history() or ()) == number, f"{done.returncode}")
    before = world.rules()
    done = subprocess.run(world.command("apply", new, "--confirm", "1"), preexec_fn=without_standard_files,
                          check=False, cwd=world.folder)
    world.check(done.returncode == 5 and world.rules() == before, f"{done.returncode}: not back")
    world.check(world.wait(lambda: world.marks()[:1] == ["reverted"]), f"{world.marks()}")


def case_files_may_not_grow(world):
    """A limit of file sizes is an error with words, and changes nothing."""
    old, new = world.path("old.fw", OLD), world.path("new.fw", NEW)
    world.must("apply", old, "--confirm", "0")
    before = world.rules()
    done = world.run("apply", new, "--confirm", "0",
                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512)))
    world.check(done.returncode == 3 and "File too large" in done.stderr, f"{done.returncode}: {done.stderr}")
    world.check(world.rules() == before and world.marks() == ["confirmed"], "something was changed")


def case_confirmed_without_rules(world):
    """Who comes in where the rules are gone has shown nothing: they are not confirmed."""
    old, new = world.path("old.fw", OLD), world.path("new.fw", NEW)
    world.must("apply", old, "--confirm", "0")
    for command, words in (("flush ruleset", "has no table"), ("add rule inet fwc input accept", "is not what")):
        before = world.rules()
        process = world.start("apply", new, "--confirm", "600")
        world.check(world.wait(lambda: world.marks()[:1] == ["waiting"]), "not loaded")
        world.nft(command)
        done = world.run("confirm")
        world.check(done.returncode == 5 and "FW1428" in done.stderr and words in done.stderr,
                    f"{command}: {done.returncode} {done.stderr}")
        world.check(world.marks()[0] == "waiting", f"{world.marks()}")
        world.must("rollback")
        world.check(process.wait(10) == 5 and world.rules() == before, f"{command}: not back")
        process.communicate()
    process = world.start("apply", new, "--confirm", "600")
    world.check(world.wait(lambda: world.marks()[:1] == ["waiting"]), "not loaded")
    world.nft("flush ruleset")
    world.must("confirm", "--force")
    world.check(process.wait(10) == 0, "confirmed by force")
    process.communicate()


def case_killed_while_loading(world):
    """What was loading when its process died is not offered for confirmation."""
    library = world.shim("change_shim")
    if library is None:
        world.skip("sanitizers do not let a library stand before theirs")
        return
    old, new = world.path("old.fw", OLD), world.path("new.fw", NEW)
    world.must("apply", old, "--confirm", "0")
    before = world.rules()
    process = world.start("apply", new, "--confirm", "0",
                          environment={"LD_PRELOAD": library, "CHANGE_SHIM_STOP": "1"})
    world.check(world.wait(lambda: world.marks()[:1] == ["loading"]), f"{world.marks()}")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    status = world.run("status").stdout
    world.check("fwc rollback" in status and "fwc confirm" not in status, status)
    done = world.run("confirm")
    world.check(done.returncode == 5 and "has not ended" in done.stderr, done.stderr)
    world.must("rollback")
    world.check(world.rules() == before, "not back")


def case_two_tables(world):
    """A rollback stays in the table of what was applied last; a boot's one table is told."""
    old, new = world.path("old.fw", OLD), world.path("new.fw", NEW)
    world.must("apply", old, "--confirm", "0")
    done = world.must("apply", new, "--confirm", "0", "--table", "other")
    world.check("FW1408" in done.stderr, done.stderr)
    before = world.rules()
    done = world.run("rollback", "--confirm", "0")
    world.check(done.returncode == 5 and "FW1425" in done.stderr, f"{done.returncode} {done.stderr}")
    world.check(world.rules() == before, "another table was replaced")
