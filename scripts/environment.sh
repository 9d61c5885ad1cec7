# Makes .venv and installs kerasseg into it, once; sourced by start.sh and test.sh.
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

fail() {
    echo "kerasseg: $*" >&2
    exit 1
}

# Newer ones have no TensorFlow 2.21.
fits='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'

find_python() {
    local name found=none
    for name in python3 python python3.13 python3.12 python3.11; do
        if "$name" -c "$fits" 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    command -v python3 >/dev/null && found=$(python3 --version 2>&1)
    fail "Python 3.11, 3.12 or 3.13 is needed. Found: $found. Install one beside it, from
python.org or your system (apt install python3.12 python3.12-venv), and run this again."
}

if ! .venv/bin/python -c '' 2>/dev/null; then
    python=$(find_python) || exit 1
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$python has no module venv. On Debian and Ubuntu: apt install python3-venv"
    echo "Making .venv with $("$python" --version) ..."
    rm -rf .venv
    "$python" -m venv .venv || fail "no environment could be made in $PWD/.venv"
elif ! .venv/bin/python -c "$fits" 2>/dev/null; then
    fail "$PWD/.venv is of $(.venv/bin/python --version 2>&1), and Python 3.11, 3.12 or
3.13 is needed. Remove it (rm -r .venv) and run this again."
fi
# shellcheck source=/dev/null
. .venv/bin/activate
# Again only when what is required has changed.
if ! cmp -s setup.cfg .venv/installed-setup.cfg; then
    echo "Installing kerasseg and what it needs (about a minute) ..."
    pip install -q --disable-pip-version-check -e '.[dev]' ||
        fail "the installation failed; the lines above say why"
    cp setup.cfg .venv/installed-setup.cfg
fi
