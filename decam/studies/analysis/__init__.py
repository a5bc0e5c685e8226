"""What people's answers say: plain arrays in, frozen values with intervals out; no database, page or study file."""
