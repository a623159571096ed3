"""One message's way in: kept, parsed, threaded, related, understood, recorded. One function per phase."""
