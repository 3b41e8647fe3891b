#!/bin/sh
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# venv.sh DIRECTORY PIP-ARGUMENT...: a virtual environment in DIRECTORY with what pip is asked to install, from the newest
# Python between PYTHON_OLDEST and PYTHON_NEWEST. Costs nothing when the same was asked before; an environment that works
# is added to, never rebuilt.
set -eu

directory=$1
shift

# Everything that decides what gets installed: the arguments, and the text of the requirements files among them.
wanted=$({
    echo "$@"
    cat requirements.txt
    for argument in "$@"; do
        if [ -f "$argument" ]; then cat "$argument"; fi
    done
} | cksum)
if [ "$(cat "$directory/.installed" 2>/dev/null)" = "$wanted" ] && [ -x "$directory/bin/python" ]; then
    exit 0
fi

if ! "$directory/bin/python" -m pip --version >/dev/null 2>&1; then
    found=$(tests/setup/pythons.sh "${PYTHON_OLDEST:-3.11}" "${PYTHON_NEWEST:-3.14}" | head -n 1)
    if [ -z "$found" ]; then
        echo "No Python from ${PYTHON_OLDEST:-3.11} to ${PYTHON_NEWEST:-3.14} that can make a virtual environment was found on PATH" \
            "or in ~/.pyenv/versions: install one (on Debian and Ubuntu also its python3-venv package)." >&2
        exit 1
    fi
    echo "$directory: Python $found"
    "${found#* }" -m venv --clear "$directory"
fi

echo "$directory: pip install $*"
"$directory/bin/python" -m pip install --quiet --quiet --disable-pip-version-check "$@"
echo "$wanted" >"$directory/.installed"
