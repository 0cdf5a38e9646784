"""The two machines that drive the table."""
