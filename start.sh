#!/bin/sh
# Installs what fwc needs on Debian 12, builds it in build/, and shows its main job:
# an example policy as a ruleset for nftables.
set -eu
cd "$(dirname "$0")"

packages='gcc meson ninja-build pkg-config flex bison libnftnl-dev libmnl-dev libtalloc-dev
uthash-dev libjansson-dev nettle-dev libcap-ng-dev libseccomp-dev scdoc nftables'

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

[ -f build/build.ninja ] || meson setup build -Dtests=disabled --buildtype=release -Db_lto=true >/dev/null
ninja -C build >/dev/null || ninja -C build

echo '# examples/one-liner.fw'
cat examples/one-liner.fw
echo
echo '# fwc compile examples/one-liner.fw --target nft'
build/src/cmd/fwc compile examples/one-liner.fw --target nft
