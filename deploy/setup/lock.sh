#!/bin/sh
# Resolves setup.cfg's requirements into requirements/*.txt, with the exact version of every package.
# The lock for tests is resolved first and constrains the other, so that both contain the same versions.
set -eu
cd "$(dirname "$0")/../.."
export CUSTOM_COMPILE_COMMAND="make lock"
compile="pip-compile --quiet --upgrade --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options"
PATH="$PWD/.venv/bin:$PATH"
$compile --extra test --extra dev --output-file requirements/test.txt setup.cfg
$compile --constraint requirements/test.txt --output-file requirements/run.txt setup.cfg
