#!/bin/sh
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# molecule.sh [--or-skip] [SCENARIO...]: runs these scenarios of Molecule, or all, on hosts that boot systemd; see molecule/shared/nspawn.sh.
# The scenario "infrastructure" is that of examples/infrastructure.
# With --or-skip a machine that cannot boot them is no failure.
set -eu

cannot=1
if [ "${1:-}" = --or-skip ]; then
    cannot=0
    shift
fi
if [ $# = 0 ]; then
    for scenario in molecule/*/molecule.yml; do
        scenario=${scenario%/molecule.yml}
        set -- "$@" "${scenario#molecule/}"
    done
    set -- "$@" infrastructure
fi

# A network of our own: nothing outside is reached, and no other run is met. podman's is made by itself.
script=molecule/shared/nspawn.sh
alone='unshare --net'
if [ -n "${FLEET_PODMAN_IMAGE:-}" ]; then
    script=molecule/shared/podman.sh
    alone=
fi
if ! $script check; then
    echo "Molecule's scenarios were not run, for the reason above." >&2
    exit $cannot
fi
$script build

tests/setup/venv.sh .venvs/molecule "${ANSIBLE_CORE:-ansible-core>=2.18,<2.22}" -r tests/molecule-requirements.txt
mkdir -p .cache/molecule/ansible_collections/convoy
ln -sfn "$PWD" .cache/molecule/ansible_collections/convoy/rolling

export PATH="$PWD/.venvs/molecule/bin:$PATH"
export CONVOY_CHECKOUT="$PWD" MOLECULE_REPORT=false MOLECULE_COMMAND_BORDERS=false
[ -t 1 ] || export NO_COLOR=1
failed=
for scenario; do
    echo "== molecule test --scenario-name $scenario"
    case $scenario in
        infrastructure) (cd examples/infrastructure && $alone molecule test) || failed="$failed $scenario" ;;
        *) $alone molecule test --scenario-name "$scenario" || failed="$failed $scenario" ;;
    esac
done
if [ -n "$failed" ]; then
    echo "Failed:$failed" >&2
    exit 1
fi
