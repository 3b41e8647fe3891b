#!/bin/sh
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# debian.sh PACKAGE...: what tests start and no wheel brings, from Debian or Ubuntu. Of one that is not there, and can't be had for want of root or
# apt-get, it says so, and its tests are skipped. Never fails.
set -eu

there() {
    case $1 in
        postgresql) ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null ;;
        nginx-light) [ -x /usr/sbin/nginx ] || command -v nginx >/dev/null ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

for package; do
    if there "$package"; then
        continue
    fi
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "debian.sh: $package is not there, and installing it needs root and apt-get; its tests will be skipped." >&2
        continue
    fi
    if [ "$package" = postgresql ] && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        mkdir -p /etc/postgresql-common
        echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
    fi
    apt-get install --yes --no-install-recommends "$package" >&2 ||
        { apt-get update && apt-get install --yes --no-install-recommends "$package"; } >&2 ||
        echo "debian.sh: $package can't be installed here; its tests will be skipped." >&2
    # The tests start their own.
    for unit in nginx prometheus-pushgateway; do
        case $package in
            "$unit"*) if [ -d /run/systemd/system ] && there "$package"; then systemctl disable --now "$unit"; fi ;;
        esac
    done
done
