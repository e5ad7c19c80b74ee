"""Policies in git: `fwc diff` of revisions, with includes and lists of each side's own, as git's diff driver,
and the merge check of contrib/git."""

import os
import shutil
import subprocess
import sys
import tempfile

FWC = os.path.abspath(sys.argv[1])
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
passed = failed = 0

POLICY = """include "common/nets.fw";
network blocked = file "lists/blocked.txt";
zone lan { interface eth1; network 192.168.0.0/24; }
zone wan { interface eth0; network internet; }
deny any from lan to blocked;
allow ssh from lan to servers;
allow web from lan to wan;
assert allow ssh from lan to servers;
"""


def check(condition, words):
    global passed, failed
    if condition:
        passed += 1
    else:
        failed += 1
        print("failed:", words)


class Repository:
    """A repository of its own, with fwc on the path."""

    def __init__(self, folder):
        self.folder = folder
        bin_folder = os.path.join(folder, ".bin")
        os.makedirs(bin_folder)
        os.symlink(FWC, os.path.join(bin_folder, "fwc"))
        self.environment = {**os.environ, "PATH": bin_folder + ":" + os.environ["PATH"],
                            "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
                            "GIT_PAGER": "cat", "NO_COLOR": "1"}
        self.run("git", "init", "-q", "-b", "main")
        self.run("git", "config", "user.name", "tester")
        self.run("git", "config", "user.email", "tester@example.org")
        self.run("git", "config", "diff.fwc.command", "fwc diff --git")
        self.write(".gitignore", ".bin\n")
        self.write(".gitattributes", "*.fw diff=fwc\n")

    def run(self, *command, folder="."):
        done = subprocess.run(command, cwd=os.path.join(self.folder, folder), text=True,
                              capture_output=True, env=self.environment, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def commit(self, words):
        self.run("git", "add", "-A")
        self.run("git", "commit", "-q", "-m", words)


def fill(repository):
    repository.write("fw/policy.fw", POLICY)
    repository.write("fw/common/nets.fw", "group servers = 10.0.0.5;\n")
    repository.write("fw/lists/blocked.txt", "203.0.113.0/24\n")
    repository.commit("first")


def test_revisions(repository):
    status, output, talk = repository.run("fwc", "diff", "HEAD:fw/policy.fw", "fw/policy.fw")
    check((status, output, talk) == (0, "", ""), f"nothing changed: {status} {output} {talk}")
    repository.write("fw/common/nets.fw", "group servers = 10.0.0.5, 10.0.0.6;\n")
    status, output, _ = repository.run("fwc", "diff", "HEAD:fw/policy.fw", "fw/policy.fw")
    check(status == 1 and "newly allowed" in output and "10.0.0.6" in output,
          f"an include changed: {status} {output}")
    status, output, _ = repository.run("fwc", "diff", "HEAD:policy.fw", "policy.fw", folder="fw")
    check(status == 1 and "10.0.0.6" in output, f"from a folder: {status} {output}")
    repository.commit("second")
    repository.write("fw/lists/blocked.txt", "203.0.113.0/24\n198.51.100.7\n")
    repository.run("git", "commit", "-qam", "third")
    status, output, _ = repository.run("fwc", "diff", "HEAD~1:fw/policy.fw", "HEAD:fw/policy.fw")
    check(status == 1 and "newly denied" in output and "198.51.100.7" in output,
          f"a list changed: {status} {output}")
    status, output, _ = repository.run("fwc", "diff", "HEAD:fw/policy.fw", "HEAD~1:fw/policy.fw")
    check(status == 1 and "newly allowed" in output and "198.51.100.7" in output,
          f"the other way round: {status} {output}")
    status, output, talk = repository.run("fwc", "diff", "nowhere:fw/policy.fw", "fw/policy.fw")
    check(status == 3 and output == "" and "[FW1204]" in talk, f"no revision: {status} {talk}")
    status, output, talk = repository.run("fwc", "diff", "HEAD:fw/none.fw", "fw/policy.fw")
    check(status == 2 and output == "" and "revision 'HEAD' has no file 'fw/none.fw'" in talk,
          f"no file: {status} {talk}")
    status, output, talk = repository.run("fwc", "diff", "HEAD:fw/none.fw", "kernel:")
    check(status == 2 and output == "" and "has no file" in talk, f"no file for the kernel: {status} {talk}")


def test_driver(repository):
    repository.write("fw/policy.fw", POLICY.replace("allow web", "allow web, dns"))
    status, output, _ = repository.run("git", "diff")
    check(status == 0 and "newly allowed" in output and "dns" in output,
          f"the working tree: {status} {output}")
    repository.run("git", "add", "-A")
    status, output, _ = repository.run("git", "diff", "--cached")
    check(status == 0 and "newly allowed" in output, f"the index: {status} {output}")
    repository.commit("fourth")
    status, output, _ = repository.run("git", "diff", "HEAD~1", "HEAD", "--", "fw/policy.fw")
    check(status == 0 and "newly allowed" in output, f"two commits: {status} {output}")
    status, output, _ = repository.run("git", "log", "-p", "--ext-diff")
    check(status == 0 and output.count("newly allowed") >= 1 and "is new" in output,
          f"the log: {status} {output}")
    repository.write("fw/policy.fw", POLICY.replace("allow web", "allow   web, dns"))
    status, output, _ = repository.run("git", "diff")
    check(status == 0 and "no change in meaning" in output, f"blanks: {status} {output}")
    repository.write("fw/policy.fw", POLICY.replace("allow web", "allow wbe"))
    status, output, talk = repository.run("git", "diff")
    check(status == 0 and "FW0301" in talk, f"a mistake does not end git: {status} {output} {talk}")
    repository.run("git", "checkout", "-q", "--", "fw")


def shown(repository, revision="HEAD"):
    status, output, talk = repository.run("git", "show", "--ext-diff", "-M", "--format=", revision)
    check(status == 0, f"git ended: {talk}")
    return output + talk


def test_history(repository):
    """What a commit changed is told with what its policy included then, whatever else changed since."""
    repository.write("fw/common/nets.fw", "group servers = 10.0.0.7;\n")
    repository.commit("another include")
    repository.write("fw/policy.fw", POLICY.replace("allow web", "allow web, ntp"))
    repository.commit("another policy")
    for words in ("clean", "staged"):
        output = shown(repository)
        check("ntp" in output and "10.0.0." not in output, f"the commit alone, {words}: {output}")
        repository.write("fw/common/nets.fw", "group servers = 10.0.0.9;\n")
        repository.run("git", "add", "-A")
    output = repository.run("git", "diff", "HEAD", "HEAD~1", "--", "fw/policy.fw")[1]
    check("newly denied" in output and "10.0.0." not in output, f"the other way round: {output}")
    repository.run("git", "reset", "-q", "--hard")


def test_renames(repository):
    """Each side's includes stand beside its own name."""
    repository.run("git", "mv", "fw", "moved")
    repository.write("moved/policy.fw", POLICY.replace("allow web", "allow web, ntp, imaps"))
    status, output, talk = repository.run("git", "diff", "-M", "HEAD")
    check(status == 0 and "policy fw/policy.fw, now moved/policy.fw" in output and "imaps" in output and
          talk == "", f"a rename: {output} {talk}")
    repository.commit("moved")
    output = shown(repository)
    check("now moved/policy.fw" in output and "imaps" in output and "error" not in output,
          f"a rename of long ago: {output}")
    repository.run("git", "reset", "-q", "--hard", "HEAD~1")


def test_names(repository):
    """Names that look like options, revisions, pathspecs; blanks, line ends, what a terminal obeys."""
    names = ["-z.fw", "main:x.fw", ":(top)y.fw", "d e/p q.fw", "d e/line\nend.fw", "esc\x1b[2J.fw"]
    for name in names:
        repository.write(name, 'include "nets.fw";\nallow ssh to servers;\n')
    repository.write("nets.fw", "group servers = 10.0.0.7;\n")
    repository.write("d e/nets.fw", "group servers = 10.0.0.7;\n")
    repository.commit("names")
    for name in names:
        repository.write(name, 'include "nets.fw";\nallow ssh, imaps to servers;\n')
    status, output, talk = repository.run("git", "diff")
    check(status == 0 and output.count("imaps from any to servers") == len(names) and "\x1b" not in output,
          f"names: {output} {talk}")
    repository.commit("more names")
    check(shown(repository).count("imaps from any to servers") == len(names), f"names of long ago: {output}")
    repository.run("git", "reset", "-q", "--hard", "HEAD~2")


def test_no_files(repository):
    """Modes, links, submodules, what is not merged, an old version with mistakes."""
    os.chmod(os.path.join(repository.folder, "fw/policy.fw"), 0o755)
    check("no change in meaning" in repository.run("git", "diff")[1], "a mode")
    repository.run("git", "reset", "-q", "--hard")
    link = os.path.join(repository.folder, "link.fw")
    os.symlink("fw/policy.fw", link)
    repository.commit("link")
    os.remove(link)
    os.symlink("fw/common/nets.fw", link)
    status, output, talk = repository.run("git", "diff")
    check(status == 0 and "link" in output and talk == "", f"a link: {output} {talk}")
    repository.run("git", "reset", "-q", "--hard", "HEAD~1")
    repository.write("fw/policy.fw", POLICY + "allow nonsense;\n")
    repository.commit("broken")
    repository.write("fw/policy.fw", POLICY)
    status, output, talk = repository.run("git", "diff")
    check(status == 0 and "this is the old version" in talk, f"an old mistake: {output} {talk}")
    repository.run("git", "reset", "-q", "--hard", "HEAD~1")
    repository.run("git", "checkout", "-q", "-b", "other")
    for branch, service in (("other", "ftp"), ("main", "smtp")):
        repository.run("git", "checkout", "-q", branch)
        repository.write("fw/policy.fw", POLICY.replace("allow web", f"allow {service}"))
        repository.commit(branch)
    repository.run("git", "merge", "other")
    status, output, talk = repository.run("git", "diff", "--cached")
    check(status == 0 and "is not merged" in output, f"not merged: {status} {output} {talk}")
    repository.run("git", "merge", "--abort")
    repository.run("git", "reset", "-q", "--hard", "HEAD~1")


def test_merge_check(repository):
    script = os.path.join(TOP, "contrib", "git", "merge-check")
    repository.run("git", "branch", "base")
    status, output, _ = repository.run(script, "--unchanged", "base", "fw/policy.fw")
    check(status == 0 and "the same meaning" in output, f"the same: {status} {output}")
    repository.write("fw/common/nets.fw", "group servers = 10.0.0.0/28;\n")
    status, output, _ = repository.run(script, "base", "fw/policy.fw")
    check(status == 0 and "newly allowed" in output, f"a change passes: {status} {output}")
    status, output, _ = repository.run(script, "--unchanged", "base", "fw/policy.fw")
    check(status == 1, f"a change fails where none is wanted: {status}")
    repository.write("fw/lists/blocked.txt", "10.0.0.0/24\n")
    status, output, talk = repository.run(script, "base", "fw/policy.fw")
    check(status == 1 and "FW0805" in talk, f"an assertion fails: {status} {talk}")
    status, output, talk = repository.run(script, "base")
    check(status == 2 and "usage" in talk, "misuse")
    for branch, path in (("bsae", "fw/policy.fw"), ("base", os.path.join(repository.folder, "fw/policy.fw"))):
        status, output, talk = repository.run(script, branch, path)
        check(status == 2 and "new:" not in output, f"nothing to compare with is no success: {branch}: {output}")
    repository.run("git", "checkout", "-q", "--", "fw")
    repository.write("-new.fw", "allow ssh from 10.0.0.0/8 to self;\n")
    status, output, talk = repository.run(script, "base", "-new.fw")
    check(status == 0 and "new: base has no such file" in output, f"a new policy: {status} {output} {talk}")


def main():
    if shutil.which("git") is None:
        print("skipped: git is not installed")
        print("0 passed, 0 failed, 1 skipped")
        return
    with tempfile.TemporaryDirectory() as folder:
        repository = Repository(folder)
        fill(repository)
        test_revisions(repository)
        test_driver(repository)
        test_history(repository)
        test_renames(repository)
        test_names(repository)
        test_no_files(repository)
        test_merge_check(repository)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
