"""miniepo: an open, ePO-style endpoint-management system."""
