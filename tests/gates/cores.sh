#!/bin/sh
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# cores.sh [CORE...]: ansible-test units on these ansible-cores, or all that are supported, with the requirements and the Python of an
# environment of each, and rolls that are told of and watched, since callbacks see what differs between cores first; on the oldest and
# the newest, whole rolls of everything else too.
set -eu

oldest=2.18
newest=2.21
[ $# != 0 ] || set -- $oldest 2.19 2.20 $newest
tests/setup/debian.sh postgresql
everywhere="telling watching"
at_the_ends="zero_loss installed_collection execution_environment own_tasks control waves window rollback"

failed=
for core; do
    case $core in # the Pythons that it runs on
        2.18 | 2.19) export PYTHON_OLDEST=3.11 PYTHON_NEWEST=3.13 ;;
        *) export PYTHON_OLDEST=3.12 PYTHON_NEWEST=3.14 ;;
    esac
    echo "== ansible-core $core"
    make --silent venv VENV=".venvs/try-$core" ANSIBLE_CORE="ansible-core~=$core.0"
    venv=$PWD/.venvs/try-$core
    here=$PWD/.cache/units-$core
    tests/setup/export.sh "$here"
    mkdir -p "$here/home"
    python=$("$venv/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    (
        cd "$here/ansible_collections/convoy/rolling"
        env -i HOME="$here/home" PATH="$venv/bin:/usr/bin:/bin" LANG=C.UTF-8 ansible-test units --local --python "$python" --color no
    ) || failed="$failed $core"
    rolls=$everywhere
    case $core in "$oldest" | "$newest") rolls="$rolls $at_the_ends" ;; esac
    # shellcheck disable=SC2046,SC2086 # lists of words
    "$venv/bin/python" -m pytest -n 2 $(printf 'tests/integration/test_%s.py ' $rolls) || failed="$failed $core"
done
if [ -n "$failed" ]; then
    echo "Failed on ansible-core$failed" >&2
    exit 1
fi
