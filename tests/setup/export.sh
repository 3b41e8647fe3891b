#!/bin/sh
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# export.sh DIRECTORY: a clean copy of the checkout in DIRECTORY/ansible_collections/convoy/rolling, with what git tracks or
# would track. ansible-test and mypy insist on that path, and linters do not lose their way in .venv. It is a git repository
# of its own, because the tools ask git what belongs to a collection.
set -eu

tree=$1/ansible_collections/convoy/rolling
rm -rf "$tree"
mkdir -p "$tree"
git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from - --ignore-failed-read 2>/dev/null |
    tar --extract --directory "$tree"
if [ ! -f "$tree/galaxy.yml" ]; then
    echo "export.sh: git does not list the files of this checkout; what it says is above." >&2
    exit 1
fi
git -C "$tree" init --quiet
git -C "$tree" add --all
