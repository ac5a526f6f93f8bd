"""`python -m app` is `backstep`."""

from app.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
