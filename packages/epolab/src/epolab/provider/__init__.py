"""The Pulumi provider: what it takes to create, read, update and delete one thing of a lab."""
