"""All methods that explain a class without a picture, in the order in which they are shown."""

from decam.methods.class_level.activation_maximisation import ACTIVATION_MAXIMISATION
from decam.methods.class_level.base import ClassMethod
from decam.methods.class_level.black_box import BLACK_BOX
from decam.methods.class_level.input_agnostic import INPUT_AGNOSTIC
from decam.methods.class_level.mean_of_maps import MEAN_OF_MAPS
from decam.methods.class_level.phase import PHASE
from decam.methods.class_level.universal import UNIVERSAL

CLASS_METHODS: tuple[ClassMethod, ...] = (
    INPUT_AGNOSTIC,
    BLACK_BOX,
    ACTIVATION_MAXIMISATION,
    PHASE,
    UNIVERSAL,
    MEAN_OF_MAPS,
)
"""Each row's `run` returns a ClassMap."""
