"""`python -m miniepo`, the same as the `miniepo` command."""

from miniepo.cli import main

raise SystemExit(main())
