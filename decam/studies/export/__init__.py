"""What leaves a study: tidy tables, a codebook, a preregistration, a Psych-DS folder, a pack for other platforms."""
