#!/usr/bin/env bash
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# podman.sh check | build | up NAME=ADDRESS... | down: the hosts of nspawn.sh as containers of podman, for machines where a registry or a
# local image is at hand: FLEET_PODMAN_IMAGE=docker.io/library/debian:12. It needs root, so that the hosts can be reached by their addresses.
# Not run in CI, which has no images.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
key=$(cd "$here/../.." && pwd)/.cache/molecule/key.pub
fleet=convoy-${FLEET:-fleet}
image=localhost/convoy-molecule

check() {
    if [ "$(id -u)" != 0 ] || ! command -v podman >/dev/null; then
        echo "Hosts cannot be run as containers of podman here: that needs root and podman." >&2
        return 1
    fi
}

build() {
    podman build --quiet --tag "$image" --build-arg "IMAGE=$FLEET_PODMAN_IMAGE" --file - "$here/image" <<'END'
ARG IMAGE
FROM $IMAGE
COPY packages customize.sh /usr/local/src/
RUN apt-get update && apt-get install --yes --no-install-recommends bash $(grep -v '^#' /usr/local/src/packages) && \
    /usr/local/src/customize.sh / && apt-get clean
STOPSIGNAL SIGRTMIN+3
CMD ["/lib/systemd/systemd"]
END
}

up() {
    local host others=()
    for host; do
        others+=(--add-host "${host%%=*}:${host#*=}")
    done
    podman network create --internal --subnet "${1#*=}/24" "$fleet" >/dev/null
    for host; do
        podman run --detach --systemd always --label "fleet=$fleet" --name "$fleet-${host%%=*}" --hostname "${host%%=*}" \
            --network "$fleet" --ip "${host#*=}" "${others[@]}" --volume "$key:/home/deploy/.ssh/authorized_keys:ro" "$image" >/dev/null
    done
}

down() {
    podman ps --all --quiet --filter "label=fleet=$fleet" | xargs --no-run-if-empty podman rm --force --time 0 >/dev/null
    if podman network exists "$fleet"; then podman network rm "$fleet" >/dev/null; fi
}

verb=$1
shift
case $verb in
    check | build | up | down) $verb "$@" ;;
    *)
        echo "podman.sh: $verb is none of check, build, up, down" >&2
        exit 2
        ;;
esac
