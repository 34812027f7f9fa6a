"""The only room that touches the host."""
