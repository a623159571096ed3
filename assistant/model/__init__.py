"""The domain in plain frozen types and pure functions. No clock, network or database."""
