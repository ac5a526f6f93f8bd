#!/bin/sh
# Runs its arguments with a Python of at least 3.11: $PYTHON, python3, or the newest python3.N found.
# A shim that stands for no real interpreter is passed over, which is why each one is tried.
for candidate in "$PYTHON" python3 python3.15 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3; do
  [ -n "$candidate" ] || continue
  if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    exec "$candidate" "$@"
  fi
done
echo "Backstep needs Python 3.11 or newer; none was found (python3 is $(python3 --version 2>&1 | head -n 1))." >&2
echo "Install one, or name it:  make run PYTHON=/path/to/python3.12" >&2
exit 1
