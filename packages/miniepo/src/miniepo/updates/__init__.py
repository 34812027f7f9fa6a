"""The vendor's update server, with content made from a seed."""
