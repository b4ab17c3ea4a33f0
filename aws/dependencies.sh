#!/bin/sh
# Makes what the functions' package holds beside our sources: in build/dependencies the libraries
# that requirements.txt names, built for the functions' machine (Python 3.13 on arm64 Linux), and
# botocore's data (aws/data.py), in build/model the model, unpacked, in build/tables our TOML files,
# parsed, and the bytecode of all of it and of ours, by which a cold start takes half as long.
# Whatever machine this is; what has not changed is not fetched again, so that a second run needs no
# network. PYTHON names another Python with pip and botocore than the project's own; STAGE the stage
# whose model is taken, which is the starter model where its file names none.
set -eu
cd "$(dirname "$0")/.."

# Halves what is uploaded. tests/test_package.py imports every handler from what is left.
unneeded() {
    rm -rf bin ./*.dist-info/RECORD # commands of this machine; a list that is wrong by now
    find . -path './emoji/*' -name 'emoji_*.json' -delete # names of emoji in other languages
    rm -rf slack slack_bolt/adapter tweepy/asynchronous # an old name; frameworks; asyncio
    find slack_bolt slack_sdk/web -name 'async_*' -prune -exec rm -rf {} +
    find slack_sdk/web -name 'legacy_*' -delete
    ( cd slack_sdk && rm -rf audit_logs rtm rtm_v2 scim socket_mode )
    # Of Powertools only its log and its metrics are used, which need one utility.
    rm -rf aws_lambda_powertools/event_handler
    find aws_lambda_powertools/utilities -mindepth 1 -maxdepth 1 -type d \
        ! -name jmespath_utils -exec rm -rf {} +
}

python=${PYTHON:-.venv/bin/python}
target=build/dependencies
stamp=build/dependencies.stamp # serverless.yml asks for it
botocore=$(grep '^botocore==' requirements-local.txt) # whose data is packed
wanted=$( { cat requirements.txt aws/dependencies.sh aws/data.py; echo "$botocore"; } | cksum)

command -v "$python" >/dev/null || { echo "$python is not here: run make setup first."; exit 1; }
[ -d node_modules/pyodide ] || { echo "pyodide is not here: run npm ci first."; exit 1; }

if ! [ -d "$target" ] || [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    rm -rf "$target" "$target.part" "$stamp"
    "$python" -m pip install --quiet --disable-pip-version-check --no-deps --no-compile \
        --target "$target.part" --requirement requirements.txt --only-binary=:all: \
        --implementation cp --python-version 3.13 \
        --platform manylinux2014_aarch64 --platform manylinux_2_28_aarch64
    ( cd "$target.part" && unneeded )
    "$python" -m aws.data "$target.part/aws-data"
    mv "$target.part" "$target"
    node aws/bytecode.mjs "$target"
    echo "$wanted" >"$stamp"
fi

rm -rf build/tables
"$python" -m aws.tables

model=
settings="aws/stages/${STAGE:-}.env"
if [ -n "${STAGE:-}" ] && [ -f "$settings" ]; then
    model=$(sed -n 's/^ *\(export  *\)\{0,1\}MODEL_FILE *= *//p' "$settings" | tail -n 1 | tr -d "\"'\r")
fi
model=${model:-build/model.tar.gz}
[ -f "$model" ] || { echo "$model is not here: copy it from where it was published, or publish the stage's model anew (python -m bot publish FILE --stage ${STAGE:-})."; exit 1; }
rm -rf build/model
mkdir build/model
tar -xzf "$model" -C build/model
# Whatever else is in it is not for the package, least of all where a link leads.
find build/model -mindepth 1 ! \( -type f -path build/model/model.bin \) \
    ! \( -type f -path build/model/model.json \) -delete
[ -f build/model/model.bin ] || { echo "$model holds no model.bin."; exit 1; }

find bot handlers -name '*.cpython-313.pyc' -delete # of sources that may be gone
node aws/bytecode.mjs bot handlers
