"""Keeping and giving back: backup and restore, rebuilding what is derived, export, erasure, retention periods."""
