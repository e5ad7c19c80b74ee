"""What a command that works with the kernel can no longer do when it speaks with the kernel."""

import os
import subprocess

EPERM = 1
TRIED = 12
OLD = "allow ssh count;\n"
NEW = "allow https count;\n"


def tried(world, name, *arguments):
    """{what was tried: errno} of `fwc NAME …`; None where sanitizers do not let a library stand before theirs."""
    library = world.shim("rights_shim")
    if library is None:
        return None
    told = world.path("told")
    if os.path.exists(told):
        os.unlink(told)
    world.run(name, *arguments, environment={"LD_PRELOAD": library, "RIGHTS_SHIM": told})
    if not os.path.exists(told):
        return {}
    with open(told, encoding="ascii") as file:
        return {words[0]: int(words[1]) for words in map(str.split, file)}


def has_filters():
    with open("/proc/self/status", encoding="ascii") as file:
        return "\nSeccomp:" in file.read()


def case_calls(world):
    """Other sockets, programs, namespaces, mounts, modules, tracing, keys: refused in every such command."""
    if not has_filters():
        world.skip("this kernel has no filters of system calls")
        return
    old, new = world.path("old.fw", OLD), world.path("new.fw", NEW)
    batch = world.path("boot.batch")
    subprocess.run([world.fwc, "compile", old, "--target", "nft-batch", "-o", batch], check=True,
                   capture_output=True)
    world.must("apply", old, "--confirm", "0")
    for command in (("apply", new, "--confirm", "0"), ("plan", new), ("verify", new),
                    ("rollback", "--confirm", "0"),
                    ("status",), ("hits", new), ("boot", batch), ("stop",),
                    ("trace", new, "tcp any -> any", "--seconds", "1"), ("log", new, "--group", "3")):
        if command[0] in ("verify", "trace", "log", "boot", "stop"):
            found = tried_without_state(world, *command)
        else:
            found = tried(world, *command)
        if found is None:
            world.skip("sanitizers do not let a library stand before theirs")
            return
        world.check(len(found) == TRIED and set(found.values()) == {EPERM}, f"{command[0]}: {found}")


def tried_without_state(world, name, *arguments):
    """The same of commands that know no --state."""
    command, world.command = world.command, lambda name, *words: [world.fwc, name, *words]
    try:
        if name == "log":
            return tried_until_timeout(world, name, *arguments)
        return tried(world, name, *arguments)
    finally:
        world.command = command


def tried_until_timeout(world, name, *arguments):
    """The same of a command that listens until it is interrupted."""
    library, told = world.shim("rights_shim"), world.path("told")
    if library is None:
        return None
    if os.path.exists(told):
        os.unlink(told)
    process = subprocess.Popen(world.command(name, *arguments), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env={**os.environ, "LD_PRELOAD": library, "RIGHTS_SHIM": told})
    world.wait(lambda: os.path.exists(told) and os.path.getsize(told) > 0)
    process.terminate()
    process.wait()
    with open(told, encoding="ascii") as file:
        return {words[0]: int(words[1]) for words in map(str.split, file)}


def case_revision(world):
    """git is still started for what an earlier revision held, before the kernel is touched."""
    tree = world.path("tree")
    os.makedirs(tree, exist_ok=True)
    policy = os.path.join(tree, "policy.fw")
    git = ("git", "-C", tree, "-c", "user.name=t", "-c", "user.email=t@example.org")
    with open(policy, "w", encoding="ascii") as file:
        file.write(OLD)
    for words in (("init", "-q"), ("add", "policy.fw"), ("commit", "-q", "-m", "one")):
        subprocess.run([*git, *words], check=True, capture_output=True)
    for text, status in ((OLD, 0), (NEW, 1)):
        with open(policy, "w", encoding="ascii") as file:
            file.write(text + "assert unchanged from any to self;\n")
        command = world.command("apply", policy, "--confirm", "0", "--base", "HEAD:policy.fw")
        done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL)
        world.check(done.returncode == status, f"{text!r}: {done.returncode} {done.stderr[:500]}")
