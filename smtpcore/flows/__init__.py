"""Scripts over the machines, shared by all adapters."""
