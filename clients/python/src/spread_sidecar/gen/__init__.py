"""Generated from proto/; see scripts/clients/python.mjs."""
