#!/bin/sh
# Fills build/dependencies with what requirements.txt names, built for the functions' machine
# (Python 3.13 on arm64 Linux), whatever machine this is. Skipped while nothing has changed, so
# that a second run needs no network. PYTHON names the Python whose pip is used.
set -eu
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
target=build/dependencies
stamp=build/dependencies.stamp # serverless.yml asks for it
wanted=$(cat requirements.txt aws/dependencies.sh | cksum)

if ! [ -d "$target" ] || [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    rm -rf "$target" "$target.part" "$stamp"
    "$python" -m pip install --quiet --disable-pip-version-check --no-deps --no-compile \
        --target "$target.part" --requirement requirements.txt --only-binary=:all: \
        --implementation cp --python-version 3.13 \
        --platform manylinux2014_aarch64 --platform manylinux_2_28_aarch64
    rm -rf "$target.part/bin" # commands of this machine
    mv "$target.part" "$target"
    echo "$wanted" >"$stamp"
fi

[ -z "$(find "$target" -name '*.pyc' | head -n 1)" ] || exit 0

# Bytecode halves a cold start, and only the functions' own Python can write it. It is not
# checked against its source, since packaging sets all files' dates to 1970.
for compiler in "$python" python3.13; do
    if "$compiler" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; then
        exec "$compiler" -m compileall -q --invalidation-mode unchecked-hash \
            -s "$target" -p "/var/task/$target" "$target"
    fi
done
echo "No Python 3.13 here, so the functions get no .pyc files and start more slowly."
