"""What runs inside the fabric container: the netlink worker and the userspace cable."""
