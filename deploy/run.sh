#!/bin/sh
# Runs one line of the Procfile in place of this process, with the programs of .venv: deploy/run.sh web
# For systemd, containers and other supervisors. A number after a dash or dot tells several of a kind apart: stream-2.
# Further arguments are those of the line: deploy/run.sh outputs NAME
set -eu
cd "$(dirname "$0")/.."
name=${1:?usage: deploy/run.sh LINE-OF-THE-PROCFILE [ARGUMENT]}
shift
line=$(sed -n "s/^${name%%[-.]*}: *//p" Procfile)
if [ -z "$line" ]; then
    echo "deploy/run.sh: the Procfile has no line '${name%%[-.]*}'; it has $(sed 's/:.*//' Procfile | paste -s -d ' ' -)" >&2
    exit 64
fi
export PATH="$PWD/.venv/bin:$PATH"
# Python would buffer what it writes to a pipe.
export PYTHONUNBUFFERED=1
eval "exec $line \"\$@\""
