"""The page on studies with people."""
