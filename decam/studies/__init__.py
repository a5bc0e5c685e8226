"""Studies: people are asked about maps. A study computes no map; it freezes those of finished runs."""
