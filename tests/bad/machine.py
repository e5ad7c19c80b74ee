"""A machine that refuses: no memory, no room, no rights, no file, a socket buffer too small."""

import hashlib
import os
import resource
import signal
import stat
import subprocess

GOOD = "allow kerberos, ldap;\ndeny p2p;\n"


def limited(limit_bytes):
    """A preexec function that caps the address space."""
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (limit_bytes, limit_bytes))


def large_policy():
    return "".join(f"allow {1024 + index % 60000}/tcp from 10.{index >> 16}.{index >> 8 & 255}.{index & 255};\n"
                   for index in range(20000))


def run_pieces(session):
    """A table that goes out piece by piece is the same in a file, and what the proof's hash is of."""
    path, written = session.write("large.fw", large_policy()), os.path.join(session.folder, "large.nft")
    printed = session.run("compile", path)
    to_file = session.run("compile", path, "-o", written)
    with open(written, "rb") as file:
        kept = file.read()
    session.check(printed.returncode == to_file.returncode == 0 and printed.stdout == kept and len(kept) > 1_000_000
                  and kept.endswith(b"\t}\n}\n"), f"a table in pieces: {printed.stderr[:300]}")
    digits = hashlib.sha256(kept).hexdigest().encode()
    session.check(digits in printed.stderr and digits in to_file.stderr, f"a table in pieces: its hash is {digits}")
    with open("/dev/full", "wb") as full:
        done = subprocess.run([session.fwc, "compile", path], stdout=full, stderr=subprocess.PIPE, timeout=60,
                              check=False)
    session.check(done.returncode == 3 and b"No space left" in done.stderr and b"proved" not in done.stderr,
                  f"a table in pieces, stdout is full: {done}")


def run_memory(session):
    """With less and less memory: a result, or one message and status 3; nothing in between."""
    statuses = set()
    policy = large_policy().encode()
    probe = subprocess.run([session.fwc, "compile", "-"], input=policy, capture_output=True,
                           timeout=60, check=False)
    session.check(probe.returncode == 0, f"the policy compiles: {probe.stderr[:300]}")
    for megabytes in (4, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 96, 128, 4096):
        done = subprocess.run([session.fwc, "compile", "-"], input=policy, capture_output=True,
                              timeout=60, preexec_fn=limited(megabytes << 20), check=False)
        if is_too_small_to_start(done):
            continue
        statuses.add(done.returncode)
        name = f"{megabytes} MB of memory"
        if done.returncode == 0:
            session.check(done.stdout == probe.stdout, f"{name}: the whole output")
        elif session.check_refusal(name, done, 3):
            session.check(b"memory" in done.stderr, f"{name}: {done.stderr[:300]}")
    session.check(statuses == {0, 3}, f"memory limits ended with {sorted(statuses)}")


def is_too_small_to_start(done):
    """Whether the loader already failed: not the program's word."""
    return done.returncode == 127 or b"shared libraries" in done.stderr \
        or b"failed to map" in done.stderr or b"cannot apply additional memory protection" in done.stderr


def has_sanitizer(session):
    with open(session.fwc, "rb") as file:
        return b"__asan_init" in file.read()


def run_full_disk(session):
    """-o to a full file system: status 3, and the old file stays whole."""
    script = ('mount -t tmpfs -o size=64k none "$1" && cd "$1" && echo "old ruleset" >out.nft'
              ' && cp "$2" policy.fw; dd if=/dev/zero of=filler bs=1k count=200 2>/dev/null;'
              ' "$3" compile policy.fw -o out.nft; status=$?; cat out.nft >&3; ls -A >&4; exit $status')
    folder = os.path.join(session.folder, "full")
    os.makedirs(folder, exist_ok=True)
    path = session.write("good.fw", GOOD)
    kept, kept_end = os.pipe()
    listed, listed_end = os.pipe()
    done = subprocess.run(["unshare", "-rm", "sh", "-c", f"exec 3>&{kept_end} 4>&{listed_end};" + script,
                           "sh", folder, path, session.fwc], capture_output=True, timeout=30,
                          pass_fds=(kept_end, listed_end), check=False)
    os.close(kept_end)
    os.close(listed_end)
    with os.fdopen(kept) as file, os.fdopen(listed) as names:
        old, left = file.read(), names.read().split()
    if b"mount" in done.stderr or b"unshare" in done.stderr:
        session.skip("a full disk", "no mount namespaces here")
        return
    session.check_refusal("a full disk", done, 3)
    session.check(old == "old ruleset\n", f"a full disk: the old file is now {old[:100]!r}")
    session.check(sorted(left) == ["filler", "out.nft", "policy.fw"],
                  f"a full disk: left behind: {left}")


def run_output(session):
    """Places where no output can go."""
    path = session.write("good.fw", GOOD)
    for name, target in (("-o to a missing folder", "no/such/folder/out.nft"),
                         ("-o to a folder", ".")):
        done = session.run("compile", path, "-o", target)
        session.check_refusal(name, done, 3)
        session.check(b"FW1202" in done.stderr, f"{name}: {done.stderr[:300]}")
    with open("/dev/full", "wb") as full:
        done = subprocess.run([session.fwc, "compile", path], stdout=full, stderr=subprocess.PIPE,
                              timeout=20, check=False)
    session.check(done.returncode == 3 and done.stderr != b"", f"stdout is full: {done}")
    bad = session.write("bad.fw", "allow no-such;\n")
    kept = session.write("kept.nft", "old ruleset\n")
    session.run("compile", bad, "-o", kept)
    with open(kept, encoding="ascii") as file:
        session.check(file.read() == "old ruleset\n", "-o of a mistaken policy: old file kept")


def run_links(session):
    """-o follows links, to where there is nothing yet, too, and leaves them links."""
    path = session.write("good.fw", GOOD)
    folder = os.path.join(session.folder, "links")
    os.makedirs(os.path.join(folder, "far"))
    for name, target in (("there", "far/there.nft"), ("dangling", "far/new.nft"), ("twice", "dangling-too"),
                         ("dangling-too", os.path.join(folder, "far", "last.nft"))):
        os.symlink(target, os.path.join(folder, name))
    with open(os.path.join(folder, "far", "there.nft"), "w", encoding="ascii") as file:
        file.write("old\n")
    for name, target in (("there", "there.nft"), ("dangling", "new.nft"), ("twice", "last.nft")):
        done = session.run("compile", path, "-o", os.path.join(folder, name))
        written = os.path.join(folder, "far", target)
        session.check(done.returncode == 0 and os.path.islink(os.path.join(folder, name)) and
                      os.path.getsize(written) > 100, f"-o to the link {name}: {done.stderr[:300]}")
    os.symlink("loop", os.path.join(folder, "loop"))
    os.symlink("far/no/such.nft", os.path.join(folder, "nowhere"))
    for name in ("loop", "nowhere"):
        done = session.run("compile", path, "-o", os.path.join(folder, name))
        session.check_refusal(f"-o to the link {name}", done, 3)
        session.check(os.path.islink(os.path.join(folder, name)), f"the link {name} is gone")


def run_descriptors(session):
    """-o to the name of an open descriptor writes there, behind what is there already."""
    path, kept = session.write("good.fw", GOOD), os.path.join(session.folder, "appended")
    printed = session.run("compile", path).stdout
    for name in ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"):
        done = session.run("compile", path, "-o", name)
        session.check(done.returncode == 0 and done.stdout == printed, f"-o {name}, a pipe: {done.stderr[:300]}")
        with open(kept, "wb") as file:
            file.write(b"first\n")
            file.flush()
            subprocess.run([session.fwc, "compile", path, "-o", name], stdout=file, stderr=subprocess.DEVNULL,
                           timeout=20, check=False)
        with open(kept, "rb") as file:
            session.check(file.read() == b"first\n" + printed, f"-o {name} into a file that has a line")
        done = subprocess.run(["sh", "-c", '"$@" >&-', "sh", session.fwc, "compile", path, "-o", name],
                              stderr=subprocess.PIPE, timeout=20, check=False)
        session.check(done.returncode == 3 and b"FW1202" in done.stderr and b"proved" not in done.stderr,
                      f"-o {name}, closed: {done}")


def run_special_files(session):
    """What several files are made for is never put in the place of a pipe."""
    path, pipe = session.write("good.fw", GOOD), os.path.join(session.folder, "pipe")
    os.mkfifo(pipe)
    for name in (pipe, "/dev/stdout"):
        done = session.run("compile", path, "--target", "nft-batch", "-o", name)
        session.check_refusal(f"a batch to {name}", done, 3)
        session.check(b"no regular file" in done.stderr and b"proved" not in done.stderr,
                      f"a batch to {name}: {done.stderr[:300]}")
    session.check(stat.S_ISFIFO(os.stat(pipe).st_mode) and not os.path.exists(pipe + ".rescue"), "the pipe is gone")


def run_interrupt(session):
    """An interrupt while a file is written leaves the old one or the new one, and nothing beside it."""
    path, folder = session.write("large.fw", large_policy()), os.path.join(session.folder, "interrupted")
    whole = session.run("compile", path).stdout
    os.mkdir(folder)
    written = os.path.join(folder, "out.nft")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        with open(written, "wb") as file:
            file.write(b"old\n")
        with subprocess.Popen([session.fwc, "compile", path, "-o", written], stderr=subprocess.DEVNULL,
                              preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL)) as process:
            while process.poll() is None and os.listdir(folder) == ["out.nft"]:
                pass
            process.send_signal(number)
            process.wait(60)
        with open(written, "rb") as file:
            session.check(file.read() in (b"old\n", whole) and os.listdir(folder) == ["out.nft"],
                          f"{number.name} while a file is written: {os.listdir(folder)}")


def run_closed_pipe(session):
    """A reader that goes away has what it wants, and is no success; nor is an output that nobody opened."""
    path = session.write("good.fw", GOOD)
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([session.fwc, "compile", path], stdout=writer, stderr=subprocess.PIPE,
                          timeout=20, check=False)
    os.close(writer)
    session.check(done.returncode == 3 and b"error" not in done.stderr, f"a closed pipe: {done}")
    for closed, words in ((">&-", ("compile", path)), ("<&-", ("compile", "-"))):
        done = subprocess.run(["sh", "-c", f'"$@" {closed}', "sh", session.fwc, *words],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20, check=False)
        session.check(done.returncode != 0 and b"Bad file descriptor" in done.stderr and done.stdout == b"",
                      f"{closed}: {done}")


def run_files(session):
    """Policies that cannot be read."""
    done = session.run("check", "no-such-file.fw")
    session.check_refusal("a policy that is not there", done, done.returncode if
                          done and done.returncode in (1, 3) else 3)
    path = session.write("secret.fw", GOOD)
    os.chmod(path, 0)
    done = as_nobody(session, "check", path)
    if done is None:
        session.skip("a policy that may not be read", "only root can become nobody")
        return
    session.check_refusal("a policy that may not be read", done, done.returncode if
                          done.returncode in (1, 3) else 3)


def as_nobody(session, *arguments):
    """fwc as a user without rights: as it is, or as nobody for root."""
    if os.geteuid() != 0:
        return session.run(*arguments) if arguments[0] == "apply" else None
    copy = os.path.join(session.folder, "fwc-for-all")
    if not os.path.exists(copy):
        subprocess.run(["cp", session.fwc, copy], check=True)
        os.chmod(copy, 0o755)
    return subprocess.run([copy, *arguments], capture_output=True, timeout=20, cwd=session.folder,
                          user=65534, group=65534, extra_groups=[], check=False)


def run_permission(session):
    path = session.write("good.fw", GOOD)
    done = as_nobody(session, "apply", path, "--confirm", "0")
    if session.check_refusal("apply without rights", done, 3):
        session.check(b"FW1002" in done.stderr, f"apply without rights: {done.stderr[:300]}")


def run_buffer(session):
    """A batch larger than the socket takes where it cannot be raised: loaded in stages, or said."""
    if not session.can_load:
        session.skip("a socket buffer that is too small", "no namespaces with nf_tables here")
        return
    prefixes = "".join(f"{11 + (index >> 15)}.{index >> 7 & 255}.{(index & 127) * 2}.0/24\n"
                       for index in range(100_000))
    session.write("big/list.txt", prefixes)
    path = session.write("big/main.fw", 'network n = file "list.txt";\nallow ssh from n;\n')
    done, tables = session.run_apply(path)
    if not session.check(done is not None, "a large batch: does not end"):
        return
    if done.returncode == 0:
        session.check(b"inet fwc" in tables, f"a large batch: claimed, but tables are {tables!r}")
        return
    session.check_refusal("a large batch", done, 3)
    session.check(b"FW1004" in done.stderr, f"a large batch: {done.stderr[:300]}")
    session.check(tables == b"", f"a large batch: left {tables!r}")


SMALL_SOCKET = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

static int is_too_long(size_t length)
{
	const char *text = getenv("SOCKET_TAKES");

	return text && length > (size_t)atol(text) ? (errno = EMSGSIZE, 1) : 0;
}

ssize_t sendto(int fd, const void *data, size_t length, int flags, const struct sockaddr *to,
	       socklen_t to_length)
{
	ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t) =
		dlsym(RTLD_NEXT, "sendto");

	return is_too_long(length) ? -1 : real(fd, data, length, flags, to, to_length);
}

ssize_t send(int fd, const void *data, size_t length, int flags)
{
	return sendto(fd, data, length, flags, NULL, 0);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	ssize_t (*real)(int, const struct msghdr *, int) = dlsym(RTLD_NEXT, "sendmsg");
	size_t length = 0;

	for (size_t index = 0; index < message->msg_iovlen; index++)
		length += message->msg_iov[index].iov_len;
	return is_too_long(length) ? -1 : real(fd, message, flags);
}
"""
TWO_LOADS = ('"$1" apply "$2" --state state --confirm 0 2>/dev/null || exit 90; nft -s list ruleset >before;'
             'LD_PRELOAD="$4" ASAN_OPTIONS="$ASAN_OPTIONS:verify_asan_link_order=0" '
             '"$1" apply "$3" --state state --confirm 0;'
             'status=$?; nft -s list ruleset >after; exit $status')


def run_small_socket(session):
    """A socket that takes less and less: loaded all the same in stages, or refused whole."""
    source = session.write("small/socket.c", SMALL_SOCKET)
    library = os.path.join(session.folder, "small/socket.so")
    try:
        built = subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"],
                               capture_output=True, check=False).returncode == 0
    except OSError:
        built = False
    if not built or not session.can_load:
        session.skip("a socket that takes little", "no C compiler or no namespaces here")
        return
    first = session.write("small/first.fw", GOOD)
    second = session.write("small/second.fw", "".join(
        f"allow {1000 + index}/tcp from 10.{index >> 8}.{index & 255}.0/24 to 172.16.{index & 255}.0/24;\n"
        for index in range(2000)))
    statuses = set()
    for takes in (100, 400, 1000, 4000, 20_000, 70_000, 200_000, 10_000_000):
        done = subprocess.run(["unshare", "-rn", "sh", "-c", TWO_LOADS, "sh", session.fwc, first, second,
                               library], capture_output=True, timeout=60, check=False,
                              cwd=session.folder, env={**os.environ, "SOCKET_TAKES": str(takes)})
        statuses.add(done.returncode)
        check_small_socket(session, f"a socket that takes {takes} bytes", done)
    session.check(statuses == {0, 3}, f"small sockets ended with {sorted(statuses)}")


def check_small_socket(session, name, done):
    listings = []
    for file_name in ("before", "after"):
        with open(os.path.join(session.folder, file_name), encoding="utf-8") as file:
            listings.append(file.read())
    if done.returncode == 0:
        session.check("172.16.255.0" in listings[1], f"{name}: claimed, but not loaded")
    elif session.check_refusal(name, done, 3):
        session.check(b"FW1004" in done.stderr, f"{name}: {done.stderr[:300]}")
        session.check(listings[0] == listings[1], f"{name}: the old ruleset was changed")


USAGES = ((), ("nonsense",), ("compile",), ("compile", "a", "b"), ("compile", "-", "--target", "nope"),
          ("compile", "-", "--show=nope"), ("compile", "-", "--nope"), ("compile", "-", "--date", "soon"),
          ("compile", "-", "--log-group", "70000"), ("explain", "FW9999"), ("check", "-", "--table", "a b"),
          # what a terminal would obey is shown, not obeyed
          ("a\x1b[2J",), ("compile", "--x\x1b[2J=\r"), ("compile", "-\x07"), ("compile", "-", "--show=\x1b[31m"),
          ("check", "-", "--format", "\u202e"), ("explain", "FW\x1b"), ("compile", "-", "--re"), ("compile", "-o"),
          ("check", "-", "--conflicts=\n"), ("check", "-", "--date"))


def run_usage(session):
    for arguments in USAGES:
        done = session.run(*arguments, stdin=GOOD.encode())
        session.check_refusal(f"fwc {' '.join(arguments)}", done, 2)


def run(session):
    if has_sanitizer(session):
        session.skip("memory limits", "the sanitizers reserve more address space", of_the_build=True)
    else:
        run_memory(session)
    run_pieces(session)
    run_full_disk(session)
    run_output(session)
    run_links(session)
    run_descriptors(session)
    run_special_files(session)
    run_interrupt(session)
    run_closed_pipe(session)
    run_files(session)
    run_permission(session)
    run_buffer(session)
    run_small_socket(session)
    run_usage(session)
