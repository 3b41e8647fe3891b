#!/usr/bin/env bash
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# nspawn.sh check | build | up NAME=ADDRESS... | down | kill NAME | start NAME: hosts that boot systemd, as systemd-nspawn containers.
#
# Each host is an overlay over one root file system, which `build` makes once from Debian's packages in .cache/molecule. Each has a
# cgroup and a network namespace of its own, and they share one bridge, which leads nowhere but to this machine. What is not a
# process of a host's is below /run/convoy-molecule/$FLEET. `down` takes away everything, however far `up` came.
#
# FLEET names the fleet, DEBIAN_SUITE and DEBIAN_MIRROR say which Debian and whence.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=$(cd "$here/../.." && pwd)/.cache/molecule
suite=${DEBIAN_SUITE:-bookworm}
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
fleet=${FLEET:-fleet}
everything=/run/convoy-molecule
state=$everything/$fleet
instances=/proc/sys/fs/inotify/max_user_instances

# The trees in which systemd keeps its processes, whichever version of cgroups the machine has.
cgroups=()
for tree in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
    if [ -d $tree ]; then cgroups+=($tree); fi
done
if [ ${#cgroups[@]} = 0 ]; then cgroups=(/sys/fs/cgroup); fi

image() { echo "$cache/$suite-$(cat "$here"/image/* | cksum | cut -d ' ' -f 1)"; }

# Says in one sentence what is missing.
check() {
    local why='' tree probe=convoy-check-$$ work
    if [ "$(id -u)" != 0 ]; then
        why='they need root'
    elif ! command -v apt-get >/dev/null && ! { command -v mmdebstrap && command -v systemd-nspawn; } >/dev/null; then
        why='they need systemd-nspawn and mmdebstrap, or apt-get to install them'
    elif ! unshare --net true 2>/dev/null; then
        why='network namespaces cannot be made'
    else
        for tree in "${cgroups[@]}"; do
            if mkdir "$tree/$probe" 2>/dev/null; then rmdir "$tree/$probe"; else why="no cgroup can be made below $tree"; fi
        done
        work=$(mktemp -d)
        if ! unshare --mount sh -c "mount -t tmpfs none $work && cd $work && mkdir low up work root &&
            mount -t overlay -o lowerdir=low,upperdir=up,workdir=work overlay root" 2>/dev/null; then
            why='an overlay file system cannot be mounted'
        fi
        rmdir "$work"
    fi
    if [ -n "$why" ]; then
        echo "Hosts that boot systemd cannot be run here: $why." >&2
        return 1
    fi
}

build() {
    local tools=() image packages
    command -v mmdebstrap >/dev/null || tools+=(mmdebstrap)
    command -v systemd-nspawn >/dev/null || tools+=(systemd-container)
    command -v ip >/dev/null || tools+=(iproute2)
    command -v ssh >/dev/null || tools+=(openssh-client)
    [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || tools+=(debian-archive-keyring)
    if [ ${#tools[@]} != 0 ]; then
        apt-get install --quiet --quiet --yes --no-install-recommends "${tools[@]}" >/dev/null ||
            { apt-get update --quiet --quiet && apt-get install --quiet --quiet --yes --no-install-recommends "${tools[@]}" >/dev/null; }
    fi
    image=$(image)
    if [ -d "$image" ]; then return; fi
    mkdir -p "$cache"
    rm -rf "$cache/$suite"-* # of other packages, or half made
    packages=$(grep -v '^#' "$here/image/packages" | grep . | paste -s -d ,)
    mmdebstrap --quiet --mode=root --variant=minbase --include="$packages" \
        --aptopt='Acquire::Languages "none"' --aptopt='Apt::Install-Recommends "false"' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --customize-hook="$here/image/customize.sh \"\$1\"" \
        "$suite" "$image-unfinished" "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main"
    mv "$image-unfinished" "$image"
}

up() {
    local host
    if [ -e "$state" ]; then
        echo "The fleet $fleet is up already, or was not destroyed whole: nspawn.sh down ends it." >&2
        return 1
    fi
    mkdir -p "$state"
    mount -t tmpfs -o mode=755 convoy-molecule "$state"
    more_instances
    echo '127.0.0.1 localhost' >"$state/hosts"
    for host; do
        echo "${host#*=} ${host%%=*}" >>"$state/hosts"
    done
    ip link set lo up
    ip link add name convoy0 type bridge
    ip addr add "$(sed -n '2s/[0-9]* .*/1/p' "$state/hosts")/24" dev convoy0
    ip link set convoy0 up
    for host; do
        make_host "${host%%=*}" "${host#*=}"
        start "${host%%=*}"
    done
}

make_host() {
    local dir=$state/$1
    mkdir -p "$dir"/{upper,work,root}
    mount -t overlay -o "lowerdir=$(image),upperdir=$dir/upper,workdir=$dir/work" overlay "$dir/root"
    echo "$1" >"$dir/root/etc/hostname"
    cp "$state/hosts" "$dir/root/etc/hosts"
    install -d -m 700 -o 1000 -g 1000 "$dir/root/home/deploy/.ssh"
    install -m 600 -o 1000 -g 1000 "$cache/key.pub" "$dir/root/home/deploy/.ssh/authorized_keys"
    echo "$2" >"$dir/address"
}

start() {
    local dir=$state/$1 namespace=convoy-$fleet-$1
    ip netns add "$namespace"
    ip link add name "ve-$1" type veth peer name host0 netns "$namespace"
    ip link set "ve-$1" master convoy0 up
    ip -n "$namespace" link set lo up
    ip -n "$namespace" addr add "$(cat "$dir/address")/24" dev host0
    ip -n "$namespace" link set host0 up
    # A session of its own: Ansible ends those of its workers.
    setsid "$here/nspawn.sh" run "$1" </dev/null >>"$dir/console.log" 2>&1 &
}

# What start leaves running, for as long as the host is up.
run() {
    local tree status=133
    # With --keep-unit a host's processes go below the cgroup of whoever starts it, so that is one of its own.
    for tree in "${cgroups[@]}"; do
        mkdir -p "$tree/convoy-$fleet/$1"
        echo $$ >"$tree/convoy-$fleet/$1/cgroup.procs"
    done
    while [ $status = 133 ]; do # which asks for a reboot
        status=0
        systemd-nspawn --quiet --boot --register=no --keep-unit --directory="$state/$1/root" --machine="$1" --resolv-conf=off \
            --network-namespace-path="/run/netns/convoy-$fleet-$1" --link-journal=no --timezone=off --console=pipe || status=$?
    done
}

# As a power cut does it: nothing inside is told, and its disk stays.
kill_host() {
    local tree all
    for tree in "${cgroups[@]}"; do
        for _ in $(seq 100); do
            all=$(find "$tree/convoy-$fleet/$1" -name cgroup.procs -exec cat {} + 2>/dev/null) || true
            [ -n "$all" ] || break
            # shellcheck disable=SC2086 # a list of processes, all of this host
            kill -KILL $all 2>/dev/null || true
            sleep 0.05
        done
        find "$tree/convoy-$fleet/$1" -depth -type d -exec rmdir {} + 2>/dev/null || true
    done
    ip link del "ve-$1" 2>/dev/null || true
    ip netns del "convoy-$fleet-$1" 2>/dev/null || true
}

down() {
    local dir tree
    for dir in "$state"/*/; do
        if [ -d "$dir" ]; then kill_host "$(basename "$dir")"; fi
    done
    for dir in "$state"/*/root; do
        if mountpoint --quiet "$dir"; then umount "$dir"; fi
    done
    for tree in "${cgroups[@]}"; do
        if [ -d "$tree/convoy-$fleet" ]; then rmdir "$tree/convoy-$fleet"; fi
    done
    if ip link show convoy0 >/dev/null 2>&1; then ip link del convoy0; fi
    if mountpoint --quiet "$state"; then umount "$state"; fi
    if [ -d "$state" ]; then rmdir "$state"; fi
    fewer_instances
}

# Every systemd takes a few inotify instances of root's 128, and hangs without a word where there are none.
more_instances() {
    if [ ! -e $everything/max_user_instances ] && [ "$(cat $instances)" -lt 8192 ]; then
        cat $instances >$everything/max_user_instances
        echo 8192 >$instances
    fi
}

fewer_instances() {
    if [ -e $everything/max_user_instances ] && [ -z "$(find $everything -mindepth 1 -type d -print -quit)" ]; then
        cat $everything/max_user_instances >$instances
        rm $everything/max_user_instances
    fi
    rmdir $everything 2>/dev/null || true
}

verb=$1
shift
case $verb in
    check | build | up | down | start | run) $verb "$@" ;;
    kill) kill_host "$1" ;;
    *)
        echo "nspawn.sh: $verb is none of check, build, up, down, kill, start" >&2
        exit 2
        ;;
esac
