"""What can be wrong with a topology beyond its structure, one noun per file."""
