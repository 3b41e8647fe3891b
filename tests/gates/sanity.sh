#!/bin/sh
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# sanity.sh CORE: every sanity test of ansible-core CORE (such as 2.21; "newest" is the newest that a Python here can run) on a
# clean copy of the checkout, without an ignore file. Needs PyPI and nothing else of the network.
set -eu

core=$1
if [ "$core" = newest ]; then
    if [ -n "$(tests/setup/pythons.sh 3.12)" ]; then core=2.21; else core=2.19; fi
fi
case $core in # the Pythons that its ansible-test accepts
    2.18 | 2.19) export PYTHON_OLDEST=3.11 PYTHON_NEWEST=3.13 ;;
    *) export PYTHON_OLDEST=3.12 PYTHON_NEWEST=3.14 ;;
esac

checkout=$PWD
venv=$checkout/.venvs/core-$core
cache=$checkout/.cache/core-$core
tests/setup/venv.sh "$venv" "ansible-core~=$core.0"
tests/setup/export.sh "$cache"

# ansible-test keeps what it installs under $HOME: give it one of its own, with the user's settings of pip.
home=$cache/home
mkdir -p "$home/.ansible/test/cache" "$home/.config" "$home/.pip"
printf '[global]\nquiet = 2\n' >"$home/.pip/pip.conf"
if [ -d "$HOME/.config/pip" ]; then ln -sfn "$HOME/.config/pip" "$home/.config/pip"; fi

# It would fetch get-pip.py from a server of its own. It takes this one instead, which is the same pip, from PyPI.
pip=$(sed -n "s/^ *pip='\(.*\)',$/\1/p" "$venv"/lib/python3*/site-packages/ansible_test/_internal/python_requirements.py)
get_pip=$home/.ansible/test/cache/get_pip_$(echo "$pip" | tr . _).py
if [ ! -f "$get_pip" ]; then
    "$venv/bin/python" -m pip download --quiet --no-deps --dest "$cache" "pip==$pip"
    cat >"$get_pip" <<EOF
import sys
sys.path.insert(0, "$cache/pip-$pip-py3-none-any.whl")
from pip._internal.cli.main import main
sys.exit(main(["install", *(argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel"))]))
EOF
fi

# It runs whatever python3.x is on PATH: let it see none that does not work.
rm -rf "$cache/bin"
mkdir "$cache/bin"
tests/setup/pythons.sh 3.9 | while read -r version python; do
    [ -e "$cache/bin/python$version" ] || ln -s "$python" "$cache/bin/python$version"
done

cd "$cache/ansible_collections/convoy/rolling"
echo "== ansible-test sanity, ansible-core $core"
env -i HOME="$home" PATH="$venv/bin:$cache/bin:/usr/bin:/bin" LANG=C.UTF-8 ansible-test sanity --color no
