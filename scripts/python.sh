#!/bin/sh
# Runs its arguments with a Python 3.11 to 3.13: $PYTHON if it is given, else the first that fits.
fits='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 python; do
    if [ -n "$candidate" ] && "$candidate" -c "$fits" 2>/dev/null; then
        exec "$candidate" "$@"
    fi
    if [ -n "${PYTHON:-}" ]; then
        echo "PYTHON=$PYTHON is not a Python 3.11, 3.12 or 3.13." >&2
        exit 1
    fi
done
echo "Python 3.11, 3.12 or 3.13 is needed. On Debian: apt-get install python3 python3-venv" >&2
exit 1
