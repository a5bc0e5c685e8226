"""DE-CAM: Differential Evolution over coarse maps, with the model as a black box."""
