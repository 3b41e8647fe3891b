#!/bin/sh
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# link.sh DIRECTORY: makes the checkout the collection convoy.rolling of the virtual environment in DIRECTORY, so that it runs
# by its full name without being installed. Nothing that walks the checkout may follow this link back.
set -eu

for packages in "$1"/lib/python3*/site-packages; do
    mkdir -p "$packages/ansible_collections/convoy"
    ln -sfn "$PWD" "$packages/ansible_collections/convoy/rolling"
done
