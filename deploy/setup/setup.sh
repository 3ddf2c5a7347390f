#!/bin/sh
# Starts the set-up program with a Python, which it installs first where there is none.
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
# -P does not exist before Python 3.11: the program's own folder is all that it imports from.
exec python3 "$here/vas_setup.py" "$@"
