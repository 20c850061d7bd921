"""What the hub is compared with: the same work, built the usual ways."""
