#!/bin/sh
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# load.sh start DIRECTORY ADDRESS:PORT... | stop DIRECTORY: clients of every kind on the load balancers at these addresses, which repeat
# nothing; see tests/fleet/load.py. Once stopped, DIRECTORY/load.json is the summary; load.jsonl has every failure and every second.
set -eu
verb=$1
directory=$2
shift 2

case $verb in
    start)
        PYTHONPATH=$(dirname "$0")/../../tests
        export PYTHONPATH
        for address; do
            set -- "$@" --url "http://$address"
            shift
        done
        # The load ends when its parent does, so it gets one that stays.
        setsid sh -c 'echo $$ >"$0/load.pid"; "$@" >"$0/load.json"; :' "$directory" \
            "$PYTHON" -m fleet.load --rate 60 --out "$directory/load.jsonl" "$@" </dev/null >/dev/null 2>"$directory/load.log" &
        ;;
    stop)
        [ -f "$directory/load.pid" ] || exit 0
        kill "$(cat "$directory/load.pid")" 2>/dev/null || true
        rm "$directory/load.pid"
        for _ in $(seq 300); do # requests under way are finished
            [ -s "$directory/load.json" ] && exit 0
            sleep 0.1
        done
        cat "$directory/load.log" >&2
        exit 1
        ;;
esac
