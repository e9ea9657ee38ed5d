"""The optimizer of everything that learns outside the ordinary loop."""

from thinc.api import Optimizer


def make_adam(learn_rate: float) -> Optimizer:
    """Make spaCy's default Adam, with a rate of its own. It is thrown away after use.

    learn_rate (float): At the start; callers that have a schedule set it before each update.
    RETURNS (Optimizer): Adam with weight decay 0.01 (decoupled), gradients clipped at a norm of 1,
        and running means of all parameters.
    """
    return Optimizer(
        learn_rate,
        beta1=0.9,
        beta2=0.999,
        eps=1e-8,
        L2=0.01,
        grad_clip=1.0,
        L2_is_weight_decay=True,
        use_averages=True,
    )
