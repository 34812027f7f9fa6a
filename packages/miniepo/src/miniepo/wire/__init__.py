"""The only room with sockets: streams, HTTP both ways, datagrams, the splice of a relay and the control socket."""
