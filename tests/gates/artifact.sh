#!/bin/sh
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# artifact.sh: builds what Galaxy gets from the checkout as it is, and looks at what is inside.
set -eu

rm -rf .cache/artifact
.venvs/lint/bin/ansible-galaxy collection build --output-path .cache/artifact .

expected='MANIFEST\.json|FILES\.json|README\.md|CHANGELOG\.md|COPYING|REUSE\.toml|bindep\.txt|requirements\.txt|changelogs/(changelog\.yaml)?'
expected="$expected|(LICENSES|docs|meta|playbooks|plugins|roles)/.*"
unexpected=$(tar -tzf .cache/artifact/convoy-rolling-*.tar.gz | grep -vxE "$expected" || true)
if [ -n "$unexpected" ]; then
    echo "The artifact holds what it should not; add it to build_ignore in galaxy.yml, or to the list in $0:" >&2
    echo "$unexpected" >&2
    exit 1
fi

cd .cache/artifact
../../.venvs/lint/bin/python -m galaxy_importer.main convoy-rolling-*.tar.gz
