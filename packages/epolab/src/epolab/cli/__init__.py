"""The command line: one verb per file; `main` alone shows errors and picks exit codes."""
