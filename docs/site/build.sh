#!/bin/sh
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# build.sh: the site, in .cache/docs/html. It is README.md, docs/*.md and CONTRIBUTING.md as they are, the reference that antsibull-docs makes of
# plugins and roles, and a page of the playbooks from the comments that they begin with. A warning is an error.
set -eu

tests/setup/export.sh .cache/docs
source=$PWD/.cache/docs/source
rm -rf "$source" .cache/docs/html
mkdir -p "$source/collections"
cp -r .cache/docs/ansible_collections/convoy/rolling/*.md .cache/docs/ansible_collections/convoy/rolling/docs "$source"
mv "$source/docs/site/conf.py" "$source/docs/site/index.md" "$source"
rm -r "$source/docs/site"

export PATH="$PWD/.venvs/docs/bin:$PATH" ANSIBLE_COLLECTIONS_PATH="$PWD/.cache/docs" ANSIBLE_HOME="$PWD/.cache/ansible"
antsibull-docs collection --use-current --fail-on-error --squash-hierarchy --no-add-antsibull-docs-version \
    --dest-dir "$source/collections" convoy.rolling

{
    echo '# Playbooks'
    echo
    echo 'Each is called by its name. Variables, with types and defaults: `ansible-doc -t role convoy.rolling.rollout`.'
    for playbook in playbooks/*.yml; do
        name=$(basename "$playbook" .yml)
        printf '\n## convoy.rolling.%s\n\n```text\n' "$name"
        sed -n '5,/^$/s/^# //p' "$playbook"
        printf '```\n'
    done
} >"$source/playbooks.md"

sphinx-build --fail-on-warning --keep-going --quiet --builder html "$source" .cache/docs/html
echo "The site is in $PWD/.cache/docs/html/index.html"
