"""The table of methods, in the order in which a comparison shows them."""

from decam.errors import MethodError, row_of
from decam.methods.activation.ablation_cam import ABLATION_CAM
from decam.methods.activation.cam import (
    CLASS_ACTIVATION,
    FINER_CAM,
    GRAD_CAM,
    GRAD_CAM_PP,
    LAYER_CAM,
    REFINE_CAM,
    SMOOTH_GRAD_CAM_PP,
    XGRAD_CAM,
)
from decam.methods.activation.score_cam import IS_CAM, SCORE_CAM, SS_CAM
from decam.methods.attention.attention_maps import ATTENTION_BRANCH, BILINEAR, CLASS_TOKEN, LEGRAD, PROTOTYPES, ROLLOUT
from decam.methods.base import AnyMethod, ClassMethod, Method
from decam.methods.class_level.activation_maximisation import ACTIVATION_MAXIMISATION
from decam.methods.class_level.black_box import INPUT_AGNOSTIC_BLACK_BOX
from decam.methods.class_level.evolved import INPUT_AGNOSTIC_EVOLVED
from decam.methods.class_level.input_agnostic import INPUT_AGNOSTIC
from decam.methods.class_level.mean_of_maps import MEAN_OF_MAPS
from decam.methods.class_level.neural_cleanse import NEURAL_CLEANSE
from decam.methods.class_level.phase import PHASE
from decam.methods.class_level.shuffle import SHUFFLE
from decam.methods.class_level.smallest import SMALLEST
from decam.methods.class_level.smallest_black_box import SMALLEST_BLACK_BOX
from decam.methods.class_level.universal import UNIVERSAL
from decam.methods.controls.maps import CENTRE, EDGES, RANDOM
from decam.methods.controls.untrained import UNTRAINED
from decam.methods.de_cam.cma_es import CMA_ES
from decam.methods.de_cam.method import DE_CAM
from decam.methods.gradient.baselines import DEEP_LIFT, GRADIENT_SHAP, INTEGRATED_GRADIENTS
from decam.methods.gradient.extremal_perturbation import EXTREMAL_PERTURBATION
from decam.methods.gradient.gradients import (
    DECONVOLUTION,
    GRADIENT,
    GUIDED_BACKPROP,
    GUIDED_GRAD_CAM,
    INPUT_X_GRADIENT,
    SMOOTH_GRAD,
    VAR_GRAD,
)
from decam.methods.perturbation.aise import AISE
from decam.methods.perturbation.greedy_regions import GREEDY_REGIONS
from decam.methods.perturbation.hsic import HSIC, HSIC_SIGNED
from decam.methods.perturbation.mc_rise import MC_RISE
from decam.methods.perturbation.occlusion_and_rise import OCCLUSION, RISE
from decam.methods.perturbation.rex import REX
from decam.methods.perturbation.shap_partition import SHAP_PARTITION
from decam.methods.perturbation.sobol import SOBOL, SOBOL_SIGNED
from decam.methods.surrogate.edge_cells import CELL_KERNEL_SHAP, CELL_RIDGE
from decam.methods.surrogate.superpixels import FEATURE_ABLATION, FEATURE_PERMUTATION, KERNEL_SHAP, LIME

_ACTIVATION = (
    CLASS_ACTIVATION,
    GRAD_CAM,
    GRAD_CAM_PP,
    SMOOTH_GRAD_CAM_PP,
    XGRAD_CAM,
    LAYER_CAM,
    FINER_CAM,
    REFINE_CAM,
    SCORE_CAM,
    SS_CAM,
    IS_CAM,
    ABLATION_CAM,
)
_GRADIENT = (
    GRADIENT,
    INPUT_X_GRADIENT,
    GUIDED_BACKPROP,
    DECONVOLUTION,
    INTEGRATED_GRADIENTS,
    SMOOTH_GRAD,
    VAR_GRAD,
    DEEP_LIFT,
    GRADIENT_SHAP,
    GUIDED_GRAD_CAM,
    EXTREMAL_PERTURBATION,
)
_PERTURBATION = (
    DE_CAM,
    RISE,
    OCCLUSION,
    FEATURE_ABLATION,
    FEATURE_PERMUTATION,
    SOBOL,
    SOBOL_SIGNED,
    HSIC,
    HSIC_SIGNED,
    SHAP_PARTITION,
    GREEDY_REGIONS,
    MC_RISE,
    AISE,
    REX,
    CMA_ES,
)
_SURROGATE = (LIME, KERNEL_SHAP, CELL_KERNEL_SHAP, CELL_RIDGE)
_ATTENTION = (ATTENTION_BRANCH, BILINEAR, PROTOTYPES, ROLLOUT, CLASS_TOKEN, LEGRAD)
_CONTROL = (RANDOM, CENTRE, EDGES, UNTRAINED)

METHODS: dict[str, Method] = {
    method.name: method for method in (*_PERTURBATION, *_SURROGATE, *_ACTIVATION, *_GRADIENT, *_ATTENTION, *_CONTROL)
}


# They ask what a class is to a model, without a picture, so a comparison on pictures does not list them.
CLASS_METHODS: dict[str, ClassMethod] = {
    method.name: method
    for method in (
        INPUT_AGNOSTIC,
        INPUT_AGNOSTIC_BLACK_BOX,
        INPUT_AGNOSTIC_EVOLVED,
        ACTIVATION_MAXIMISATION,
        PHASE,
        UNIVERSAL,
        MEAN_OF_MAPS,
        SMALLEST,
        SHUFFLE,
        SMALLEST_BLACK_BOX,
        NEURAL_CLEANSE,
    )
}


def get(name: str) -> Method:
    """The row of a method about pictures; raises MethodError where there is none of that name."""
    return row_of("method", name, METHODS, MethodError)


def get_class_method(name: str) -> ClassMethod:
    """The row of a method about classes; raises MethodError where there is none of that name."""
    return row_of("method", name, CLASS_METHODS, MethodError)


def is_method(name: str) -> bool:
    """True if there is a method of that name, about pictures or about classes."""
    return name in METHODS or name in CLASS_METHODS


def described(name: str) -> AnyMethod:
    """The row of a method of either kind; raises MethodError where there is none of that name."""
    return CLASS_METHODS[name] if name in CLASS_METHODS else get(name)
