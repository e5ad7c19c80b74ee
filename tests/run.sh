#!/bin/sh
# Runs all tests on Debian 12: installs what they need, then hands over to run.py, whose last
# line says how many passed, failed and were skipped. --quick leaves out what takes minutes.
set -eu
cd "$(dirname "$0")/.."

packages='gcc clang libclang-rt-14-dev meson ninja-build pkg-config flex bison libnftnl-dev
libmnl-dev libtalloc-dev uthash-dev libjansson-dev nettle-dev libcap-ng-dev libseccomp-dev scdoc check
nftables iproute2
conntrack iptables iputils-ping valgrind python3 git libc6-dev ansible
libxml2-utils python3-junitparser python3-sarif-python-om'

missing=
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
        missing="$missing $package"
done
if [ -n "$missing" ]; then
    as_root=
    [ "$(id -u)" -eq 0 ] || as_root=sudo
    $as_root apt-get update -qq
    # shellcheck disable=SC2086 -- a list of words
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
fi
exec python3 tests/run.py "$@"
