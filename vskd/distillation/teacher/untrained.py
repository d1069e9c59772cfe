"""A control: the teacher's own network as it was drawn, before it learned anything."""

import hashlib
from functools import cached_property

import torch

from vskd.distillation.batch_norm import recompute
from vskd.distillation.fitting import plain_batches
from vskd.distillation.model import Model, initial_weights, new_model
from vskd.distillation.teacher.cache import TeacherKey
from vskd.distillation.teacher.outputs import FinishedTeacher


class UntrainedTeacher(FinishedTeacher):
    """The weights that the teacher's training began with, without pretrained ones; only BatchNorm knows the data.

    A gain that it gives as well is none of the teacher's knowledge (Stanton et al., "Does Knowledge Distillation Really
    Work?", NeurIPS 2021; Sarnthein et al., "Random Teachers are Good Teachers", ICML 2023).
    """

    @cached_property
    def model(self) -> Model:
        """The model as drawn, in evaluation mode; BatchNorm's statistics are those of the training recordings."""
        experiment, recipe = self.experiment, self.experiment.recipe
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            model = new_model(recipe.student, self.inputs, experiment.classes)
            initial_weights(model.network, None)
        training = recipe.student.training
        ids = [i for i in experiment.training_split(training).train if i in self.inputs.ids]
        recompute(model, plain_batches(self.inputs, training, recipe.seed, ids)())
        return model.eval()

    @cached_property
    def key(self) -> TeacherKey:
        """What a cache of its outputs belongs to: no file holds its weights, so they are hashed themselves."""
        digest = hashlib.sha256(b"untrained")
        for name, tensor in self.model.state_dict().items():
            digest.update(name.encode() + tensor.contiguous().numpy().tobytes())
        return TeacherKey(digest.hexdigest(), self.inputs.hash)
