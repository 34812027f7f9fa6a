"""Repositories: which one an agent takes, how a directory becomes one, what a mirror lacks, how files are served."""
