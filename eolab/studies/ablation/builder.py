"""The names of Maggy's ablation API, so that its notebooks need few changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from eolab.errors import InvalidInputError, nearest
from eolab.settings.config import Config

if TYPE_CHECKING:
    from eolab.studies.ablation.preview import Preview
    from eolab.studies.ablation.study import Ablation


class _Names:
    """A set of names that is filled bit by bit."""

    def __init__(self, what: str) -> None:
        self.included: list[str] = []
        self._what = what

    def include(self, *names: str | Sequence[str]) -> None:
        """Add names; a list counts as its members.

        Raises:
            InvalidInputError: Something that is no text.
        """
        for name in self._each(names):
            if name not in self.included:
                self.included.append(name)

    def exclude(self, *names: str | Sequence[str]) -> None:
        """Take names away again.

        Raises:
            InvalidInputError: A name that is not included.
        """
        for name in self._each(names):
            if name not in self.included:
                hint = nearest(name, self.included, f"included {self._what}s")
                raise InvalidInputError(f"the {self._what} {name!r} is not included", hint)
            self.included.remove(name)

    def list_all(self) -> list[str]:
        """What is included, in the order in which it came."""
        return list(self.included)

    def _each(self, names: Sequence[str | Sequence[str]]) -> list[str]:
        found: list[str] = []
        for name in names:
            several = [name] if isinstance(name, str) or not isinstance(name, Sequence) else name
            for one in several:
                if not isinstance(one, str):
                    raise InvalidInputError(f"{one!r} is no name of a {self._what}", "Give text.")
                found.append(one)
        return found


class _Layers(_Names):
    def __init__(self) -> None:
        super().__init__("layer")
        self.groups: dict[str, str | list[str]] = {}

    def include_groups(self, *groups: Sequence[str], prefix: str | None = None) -> None:
        """Add groups of layers that go together: lists of names, or all with a prefix.

        Raises:
            InvalidInputError: A group of less than two names.
        """
        self.groups.update(self._named(groups, prefix))

    def exclude_groups(self, *groups: Sequence[str], prefix: str | None = None) -> None:
        """Take groups away again.

        Raises:
            InvalidInputError: One that is not included.
        """
        for name in self._named(groups, prefix):
            if name not in self.groups:
                hint = nearest(name, list(self.groups), "included groups")
                raise InvalidInputError(f"the group {name!r} is not included", hint)
            del self.groups[name]

    @staticmethod
    def _named(groups: Sequence[Sequence[str]], prefix: str | None) -> dict[str, str | list[str]]:
        found: dict[str, str | list[str]] = {}
        if prefix is not None:
            if not isinstance(prefix, str) or not prefix:
                raise InvalidInputError(
                    f"prefix={prefix!r} begins no name of a layer", "Give text."
                )
            found[prefix] = f"{prefix}*"
        for group in groups:
            if isinstance(group, str) or len(group) < 2:
                raise InvalidInputError(
                    f"{group!r} is no group of layers",
                    "Give lists of two names or more, or prefix=; include() takes single layers.",
                )
            found["+".join(group)] = list(group)
        return found


class _Model:
    def __init__(self) -> None:
        self.layers = _Layers()
        self.base_model_generator: Callable[..., object] | None = None
        self.others: dict[str, Callable[..., object]] = {}

    def set_base_model_generator(self, generator: Callable[..., object]) -> None:
        """The function that makes the model (`build=`)."""
        self.base_model_generator = generator

    def add_custom_model_generator(self, generator: Callable[..., object], name: str) -> None:
        """Another function that makes a model, which is one variant more (`models=`)."""
        self.others[name] = generator


class AblationStudy:
    """Collects what to leave out, and runs it by `ablate`.

    Args:
        training_dataset_name: Name of a feature view with a training dataset; or give ``data`` to
            `run`.
        training_dataset_version: Version of the training dataset; by default the newest.
        label_name: The label, to make sure that it is the view's.
        dataset_generator: A function without arguments that gives the data instead.

    Example:
        >>> from eolab.studies.ablation import AblationStudy
        >>> collected = AblationStudy(dataset_generator=lambda: split)
        >>> collected.features.include("nir_median")
        >>> collected.features.list_all()
        ['nir_median']
    """

    def __init__(
        self,
        training_dataset_name: str | None = None,
        training_dataset_version: int | None = None,
        label_name: str | None = None,
        *,
        dataset_generator: Callable[[], object] | None = None,
    ) -> None:
        self.features = _Names("feature")
        self.model = _Model()
        self._dataset = (training_dataset_name, training_dataset_version, label_name)
        self._generator = dataset_generator

    def set_dataset_generator(self, dataset_generator: Callable[[], object]) -> None:
        """A function without arguments that gives the data."""
        self._generator = dataset_generator

    def run(
        self, workspace: object, train: Callable[..., object], **options: object
    ) -> Ablation | Preview:
        """Run it.

        Args:
            workspace: The workspace (``ws``), or its configuration.
            train: The train function, which takes `data` and `model`.
            **options: Those of `eolab.studies.ablation.ablate`.

        Raises:
            InvalidInputError: As in `ablate`; or no data, or another label.
        """
        from eolab.studies.ablation.study import ablate

        config = getattr(workspace, "config", workspace)
        if not isinstance(config, Config):
            raise InvalidInputError(
                f"a {type(workspace).__name__} is no workspace", "Give ws = eo.workspace()."
            )
        if "data" not in options:
            options["data"] = self._data(workspace)
        given: dict[str, object] = {
            "features": self.features.list_all() or False,
            "layers": self.model.layers.list_all() or None,
            "modules": self.model.layers.groups or None,
            "models": self.model.others or None,
            "build": self.model.base_model_generator,
            **options,
        }
        return ablate(config, train, **given)  # type: ignore[arg-type]

    def _data(self, workspace: object) -> object:
        if self._generator is not None:
            return self._generator()
        name, version, label = self._dataset
        # Studies do not know the feature store: it is reached through the workspace.
        store = getattr(workspace, "features", None)
        if name is None or store is None:
            raise InvalidInputError(
                "the study has no data",
                "Give data=, or the name of a view with a training dataset and ws.",
            )
        view = store.feature_view(name)
        labels = [str(column) for column in view.labels.columns]
        if label is not None and label not in labels:
            raise InvalidInputError(
                f"{name!r} has no label {label!r}", nearest(label, labels, "labels")
            )
        return view.training_dataset(version).read()
