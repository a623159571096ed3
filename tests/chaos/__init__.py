"""Random mail, faults and kills, and what must hold afterwards: `python -m tests.chaos`, explained in README.md here."""
