"""The demonstration: a sample agency mailbox on embedded servers under a simulated clock."""
