"""Real servers for tests, started unprivileged on free ports, and tools that make them misbehave."""
