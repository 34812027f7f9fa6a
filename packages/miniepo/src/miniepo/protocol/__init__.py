"""The messages that agents and handlers exchange: pure data and rules, no sockets, no clock, no files."""
