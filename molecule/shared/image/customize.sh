#!/usr/bin/env bash
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# customize.sh ROOT: makes the Debian below ROOT, with the packages installed, a host that boots in an instant and lets
# Ansible in as the user deploy, who is not root and has sudo.
set -eu
root=$1

chroot "$root" useradd --create-home --shell /bin/bash deploy
install -m 440 /dev/stdin "$root/etc/sudoers.d/deploy" <<<'deploy ALL=(ALL) NOPASSWD: ALL'

chroot "$root" systemctl enable ssh.service
chroot "$root" systemctl disable haproxy.service nginx.service
chroot "$root" systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
    fstrim.timer getty.target console-getty.service systemd-udevd.service systemd-udev-trigger.service systemd-firstboot.service \
    systemd-modules-load.service sys-kernel-config.mount sys-kernel-debug.mount

# A journal that outlives a reboot, and no name server to wait for.
mkdir -p "$root/var/log/journal"
rm -f "$root/etc/nginx/sites-enabled/default"
: >"$root/etc/machine-id"
if [ "$root" != / ]; then # a container engine brings these
    rm -f "$root/etc/hostname"
    : >"$root/etc/resolv.conf"
fi
