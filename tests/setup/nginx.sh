#!/bin/sh
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# nginx.sh: nginx for the tests, from Debian or Ubuntu. Without it, or without the right to install it, they are skipped and say so.
set -eu

if command -v nginx >/dev/null || [ -x /usr/sbin/nginx ]; then
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "nginx.sh: nginx is not there, and installing it needs root and apt-get; the tests of nginx will be skipped." >&2
    exit 0
fi
apt-get install --yes --no-install-recommends nginx-light ||
    { apt-get update && apt-get install --yes --no-install-recommends nginx-light; }
# The tests start their own.
if [ -d /run/systemd/system ]; then
    systemctl disable --now nginx
fi
