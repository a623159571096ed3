"""What colleagues do by mail: a reply to the assistant stops a mail to a client, or lets it go."""
