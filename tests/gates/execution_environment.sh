#!/bin/sh
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# execution_environment.sh: what ansible-builder makes of the artifact that artifact.sh built, and of the example's definition.
# It builds no image, which needs an engine and a registry.
set -eu

builder=$PWD/.venvs/lint/bin/ansible-builder
here=$PWD/.cache/environment
rm -rf "$here"
mkdir -p "$here/collections/ansible_collections/convoy/rolling"
tar -xzf .cache/artifact/convoy-rolling-*.tar.gz -C "$here/collections/ansible_collections/convoy/rolling"

"$builder" introspect --write-pip "$here/pip" --write-bindep "$here/bindep" "$here/collections" >"$here/introspected"
"$builder" create --verbosity 1 --file examples/awx/execution-environment.yml --context "$here/context"

# Every requirement of the controller's, by name, and what reaches a journal elsewhere.
for needed in $(sed -n 's/^\([A-Za-z]*\).*/\1/p' requirements.txt) psycopg; do
    grep -qi "^$needed" "$here/pip" || { echo "An execution environment would lack $needed." >&2; exit 1; }
done
grep -q '^openssh-clients' "$here/bindep" || { echo "An execution environment would lack ssh." >&2; exit 1; }
grep -q 'convoy.rolling' "$here/context/_build/requirements.yml"
