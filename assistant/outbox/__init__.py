"""What leaves: composed once and stored, guarded, submitted when due, and settled with the server's answer."""
