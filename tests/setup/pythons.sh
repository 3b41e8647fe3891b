#!/bin/sh
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# pythons.sh [OLDEST [NEWEST]]: the Python interpreters of this machine that work, newest first, as "3.13 /path/to/python".
# Each one is run, and says itself where it is: a pyenv shim on PATH often stands for an interpreter that is not there, and
# Debian's python3 cannot make virtual environments until python3-venv is installed.
set -eu

oldest=${1:-3.11}
newest=${2:-3.14}

candidates() {
    IFS=:
    for directory in $PATH; do
        for name in python3 python3.9 python3.10 python3.11 python3.12 python3.13 python3.14; do
            echo "$directory/$name"
        done
    done
    for name in "$HOME"/.pyenv/versions/*/bin/python3; do
        echo "$name"
    done
}

describe='
import ensurepip, os, sys, venv
oldest, newest = (tuple(map(int, limit.split("."))) for limit in sys.argv[1:])
if oldest <= sys.version_info[:2] <= newest and sys.version_info.releaselevel == "final" and sys.prefix == sys.base_prefix:
    path = os.path.realpath(sys.executable)
    print("%02d.%03d %d.%d %s" % (sys.version_info[1:3] + sys.version_info[:2] + (path,)))
'

candidates | while read -r python; do
    if [ -x "$python" ]; then
        "$python" -c "$describe" "$oldest" "$newest" </dev/null 2>/dev/null || true
    fi
done | sort -ru | cut -d ' ' -f 2-
