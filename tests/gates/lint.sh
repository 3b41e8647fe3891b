#!/bin/sh
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# lint.sh: every linter on a clean copy of the checkout, the quick ones first. All run, whatever fails; their names come last.
set -eu

tests/setup/export.sh .cache/lint
export PATH="$PWD/.venvs/lint/bin:$PATH"
export ANSIBLE_COLLECTIONS_PATH="$PWD/.cache/lint" # or a copy in ~/.ansible would shadow this one
export ANSIBLE_HOME="$PWD/.cache/ansible"
export MYPYPATH="$PWD/.cache/lint" MYPY_CACHE_DIR="$PWD/.cache/mypy" RUFF_CACHE_DIR="$PWD/.cache/ruff"
export NO_COLOR=1
checkout=$PWD
failed=

gate() {
    echo "== $*"
    "$@" || failed="$failed
  $*"
}

cd "$ANSIBLE_COLLECTIONS_PATH/ansible_collections/convoy/rolling"
gate ruff check --output-format concise .
gate ruff format --check --output-format concise .
gate reuse --suppress-deprecation lint --lines
gate yamllint --strict .
gate antsibull-changelog lint
gate check-jsonschema --builtin-schema vendor.github-workflows examples/infrastructure/.github/workflows/*.yml
gate check-jsonschema --builtin-schema custom.github-workflows-require-timeout examples/infrastructure/.github/workflows/*.yml
gate check-jsonschema --builtin-schema vendor.gitlab-ci examples/infrastructure/.gitlab-ci.yml
gate check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/[!c]*.yml
gate check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
gate check-jsonschema --builtin-schema vendor.renovate .github/renovate.json
gate mypy --package ansible_collections.convoy.rolling.plugins
gate ansible-lint --offline # or it installs a copy of the collection, which then shadows this one
# Twice at most: its temporary directory is called at random, and where that name ends with _ it takes it for a reference of its own.
documentation() {
    antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=all . ||
        antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=all .
}
gate documentation

cd "$checkout"
gate tests/gates/artifact.sh
gate tests/gates/execution_environment.sh

if [ -n "$failed" ]; then
    echo "Failed:$failed" >&2
    exit 1
fi
