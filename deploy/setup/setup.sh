#!/bin/sh
# Runs the set-up program; installs Python first if there is none.
# usage: setup.sh run|test|lint|bench|setup [ARGUMENT...]
set -eu
here=$(cd "$(dirname "$0")" && pwd)

if ! command -v python3 >/dev/null; then
    if ! command -v apt-get >/dev/null; then
        echo "Python is not installed. What to do: install Python 3.11 or newer with your package manager." >&2
        exit 1
    fi
    echo "  installing Python"
    sudo=
    [ "$(id -u)" -eq 0 ] || sudo=sudo
    $sudo sh "$here/apt-install.sh" python3 python3-venv
fi
# Without -P, which is new in Python 3.11: the program imports from its own folder only.
exec python3 "$here/vas_setup.py" "$@"
