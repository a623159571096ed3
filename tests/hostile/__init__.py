"""Mail that means harm: what it may not do."""
