"""What every page shows of a run: how it stands, its maps, what can be chosen on them, and its export."""
