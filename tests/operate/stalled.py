"""Who applies on trial dies, or stands still, at every one of his system calls: the earlier ruleset is there at
the end of the time, and nothing else is left."""

import os
import shutil
import signal
import subprocess
import time

import timer

OLD = "allow ssh; deny p2p;\nallow http from 10.9.0.0/24, 10.10.0.1-10.10.0.9, 10.11.0.0/16;\n"
NEW = "allow https, 9000/udp from 10.7.0.1-10.7.0.9, 10.8.0.0/16;\n"
TRIAL_S = 2


class Stage:
    """A table and a state of its own, so that many stand still at once; every other one had none before."""

    def __init__(self, world, library, number):
        self.world, self.shim, self.number, self.has_old = world, library, number, number % 2 == 0
        self.table = f"t{number}"
        self.state = os.path.join(world.folder, f"stage{number}")
        self.old, self.new = world.path("old.fw", OLD), world.path("new.fw", NEW)
        self.process = self.before = None

    def command(self, name, *arguments):
        return [self.world.fwc, name, *arguments, "--state", self.state]

    def begin(self):
        if self.has_old:
            self.apply_old()
        self.before = self.rules()

    def apply_old(self):
        command = self.command("apply", self.old, "--confirm", "0", "--table", self.table, "--no-proof")
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.world.check(done.returncode == 0, f"call {self.number}: {done.stderr}")

    def start(self, what, **settings):
        environment = {**os.environ, "LD_PRELOAD": self.shim, "STATE_SHIM_FOLDER": self.state, **settings}
        if what is not None:
            environment[f"STATE_SHIM_{what}"] = str(self.number)
        self.process = subprocess.Popen(
            self.command("apply", self.new, "--confirm", str(TRIAL_S), "--table", self.table, "--no-proof"),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True)

    def confirm(self, **settings):
        environment = {**os.environ, "LD_PRELOAD": self.shim, "STATE_SHIM_FOLDER": self.state, **settings}
        return subprocess.Popen(self.command("confirm"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                text=True, env=environment, start_new_session=True)

    def begin_trial(self):
        self.begin()
        self.start(None)
        self.world.check(self.world.wait(lambda: self.marks()[:1] == ["waiting"]), f"{self.marks()}")

    def rules(self):
        listing = subprocess.run(["nft", "-s", "list", "table", "inet", self.table], capture_output=True, text=True,
                                 check=False).stdout
        return self.world.without_marks(listing)

    def marks(self):
        done = subprocess.run(self.command("history"), capture_output=True, text=True, check=False)
        words = ("loading", "waiting", "confirmed", "reverted")
        return [word for line in done.stdout.splitlines() for word in words if f" {word}" in line]

    def files(self):
        return os.listdir(self.state) if os.path.isdir(self.state) else []

    def is_over(self):
        return self.rules() == self.before and "waiting" not in self.marks() and "loading" not in self.marks()


def calls_of(world, library, number):
    stage, counted = Stage(world, library, number), world.path("calls")
    stage.begin()
    stage.start(None, STATE_SHIM_COUNT=counted)
    errors = stage.process.communicate(timeout=20)[1]
    world.check(stage.process.returncode == 5 and stage.is_over(), f"not back: {errors}")
    shutil.rmtree(stage.state)
    with open(counted, encoding="ascii") as file:
        return int(file.read())


def stages_of(world):
    library = world.shim("state_shim")
    if library is None:
        world.skip("sanitizers do not let a library stand before theirs")
        return []
    calls = [calls_of(world, library, number) for number in range(2)]
    world.check(min(calls) > 40, f"only {calls} calls")
    stages = [Stage(world, library, number) for number in range(1, max(calls) + 1) if number <= calls[number % 2]]
    for stage in stages:
        stage.begin()
    return stages


def ends(world, stages, what):
    """Each has its earlier ruleset, and no process waits any more."""
    world.check(world.wait(lambda: not list(timer.guards()), 15.0), f"{what}: a process stays")
    for stage in stages:
        world.check(stage.is_over(), f"{what} at call {stage.number}: {stage.marks()}\n{stage.rules()[:300]}")
        strays = [name for name in stage.files() if name.startswith((".new", "before-", "next-"))]
        world.check(not strays, f"{what} at call {stage.number}: {strays}")
        shutil.rmtree(stage.state, ignore_errors=True)
    world.nft("flush ruleset")


def case_killed_on_trial(world):
    """SIGKILL at each of them: what was loaded goes at once or when its time is up, and no entry stays open."""
    stages = stages_of(world)
    for stage in stages:
        stage.start("KILL")
    for stage in stages:
        stage.process.communicate(timeout=20)
        world.check(stage.process.returncode == -9, f"call {stage.number}: {stage.process.returncode}")
    if stages:
        ends(world, stages, "killed")


def case_stopped_on_trial(world):
    """SIGSTOP at each of them: the time ends all the same; who is woken then is told, and leaves nothing."""
    stages = stages_of(world)
    if not stages:
        return
    for stage in stages:
        stage.start("STOP")
    stopped = [stage for stage in stages if os.waitid(os.P_PID, stage.process.pid, os.WSTOPPED | os.WNOWAIT)]
    world.check(stopped == stages, "not stopped")
    loaded = [stage for stage in stages if stage.rules() != stage.before]
    world.check(len(loaded) > 5, f"{len(loaded)} stand still behind the load")
    world.check(world.wait(lambda: all(stage.rules() == stage.before for stage in stages), TRIAL_S + 8.0),
                f"not back: {[stage.number for stage in stages if stage.rules() != stage.before]}")
    for stage in stages:
        os.kill(stage.process.pid, signal.SIGCONT)
    for stage in stages:
        errors = stage.process.communicate(timeout=20)[1]
        world.check(stage.process.returncode == 5 and "not confirmed" in errors,
                    f"woken at call {stage.number}: {stage.process.returncode} {errors}")
    ends(world, stages, "stopped")


def check_agreement(world, stage, confirm):
    """Who confirmed, who applied, the state and the kernel say the same."""
    errors = confirm.communicate(timeout=20)[1]
    told = stage.process.communicate(timeout=20)[1]
    is_back, what = stage.rules() == stage.before, f"confirmed until call {stage.number}"
    world.check(confirm.returncode == (5 if is_back else 0) or (is_back and "FW1402" in errors),
                f"{what}: {confirm.returncode} {errors} {is_back}")
    world.check(stage.process.returncode == (5 if is_back else 0), f"{what}: {stage.process.returncode} {told}")
    world.check(stage.marks()[:1] == ["reverted" if is_back else "confirmed"], f"{what}: {stage.marks()} {is_back}")
    world.check(is_back or "boot.batch" in stage.files(), f"{what}: {stage.files()}")
    rules = stage.rules()
    world.check((is_back and not stage.has_old) or booted(world, stage) == rules, f"{what}: a boot loads another")
    return is_back


def booted(world, stage):
    world.nft(f"delete table inet {stage.table}")
    subprocess.run([world.fwc, "boot", os.path.join(stage.state, "boot.batch")], capture_output=True, check=False)
    return stage.rules()


def case_confirming_stopped(world):
    """SIGSTOP of who confirms at each of his calls, past the time: what he says when he is woken is what is."""
    library, counted = world.shim("state_shim"), world.path("calls")
    if library is None:
        world.skip("sanitizers do not let a library stand before theirs")
        return
    stage = Stage(world, library, 0)
    stage.begin_trial()
    world.check(not check_agreement(world, stage, stage.confirm(STATE_SHIM_COUNT=counted)), "not confirmed")
    with open(counted, encoding="ascii") as file:
        calls = int(file.read())
    world.check(calls > 12, f"only {calls} calls")
    world.nft("flush ruleset")
    shutil.rmtree(stage.state)
    stages = [Stage(world, library, number) for number in range(1, calls + 1)]
    confirms = []
    for stage in stages:
        stage.begin_trial()
        confirms.append(stage.confirm(STATE_SHIM_STOP=str(stage.number)))
        os.waitid(os.P_PID, confirms[-1].pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    world.check(world.wait(lambda: not list(timer.guards()), 20.0), "a process stays")
    for confirm in confirms:
        os.kill(confirm.pid, signal.SIGCONT)
    back = [check_agreement(world, stage, confirm) for stage, confirm in zip(stages, confirms)]
    world.check(back.count(True) > 5 and not all(back), f"{back}")
    for stage in stages:
        shutil.rmtree(stage.state, ignore_errors=True)
    world.nft("flush ruleset")


def case_killed_while_stopped(world):
    """SIGKILL of one that stood still before its load: nothing was loaded, nothing stays, not even an entry."""
    library = world.shim("change_shim")
    if library is None:
        world.skip("sanitizers do not let a library stand before theirs")
        return
    old, new = world.path("old.fw", OLD), world.path("new.fw", NEW)
    world.must("apply", old, "--confirm", "0")
    before = world.nft("list ruleset")
    process = world.start("apply", new, "--confirm", "1",
                          environment={"LD_PRELOAD": library, "CHANGE_SHIM_STOP": "2"})
    world.check(world.wait(lambda: world.marks()[:1] == ["loading"] and list(timer.guards())), f"{world.marks()}")
    time.sleep(1.5)
    world.check(list(timer.guards()) and world.nft("list ruleset") == before,
                f"it went while there may be a load: {list(timer.guards())} {before}\n{world.nft('list ruleset')}")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    world.check(world.wait(lambda: not list(timer.guards())), "a process stays")
    world.check(world.nft("list ruleset") == before and world.marks() == ["confirmed"], f"{world.marks()}")
    kept = [name for name in os.listdir(world.state) if name.startswith(("before-", "next-"))]
    world.check(not kept, f"{kept}")
