"""The only file that imports Lightning and torchmetrics.

torchmetrics imports torchvision, and torchvision's import fails on a CPU build of torch unless its missing operators
are declared first (see `vskd.models.torchvision_shim`). Declaring them here, at import, is the one import side effect
of the package; it is idempotent, and does nothing where torchvision loads by itself.
"""

from vskd.models.torchvision_shim import load_torchvision

load_torchvision()

from lightning import Callback, LightningModule, Trainer  # noqa: E402
from lightning.pytorch.callbacks import RichProgressBar  # noqa: E402
from torchmetrics.classification import MulticlassAccuracy, MulticlassF1Score  # noqa: E402

__all__ = ["Callback", "LightningModule", "MulticlassAccuracy", "MulticlassF1Score", "RichProgressBar", "Trainer"]
