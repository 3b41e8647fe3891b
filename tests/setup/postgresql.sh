#!/bin/sh
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# postgresql.sh: PostgreSQL for the tests, from Debian or Ubuntu. Without it, or without the right to install it, they are skipped and say so.
set -eu

if command -v postgres >/dev/null || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1; then
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "postgresql.sh: PostgreSQL is not there, and installing it needs root and apt-get; the tests of it will be skipped." >&2
    exit 0
fi
# No cluster of the machine's: the tests start their own server, in a directory of their own.
mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
apt-get install --yes --no-install-recommends postgresql ||
    { apt-get update && apt-get install --yes --no-install-recommends postgresql; } ||
    echo "postgresql.sh: PostgreSQL can't be installed here; the tests of it will be skipped." >&2
