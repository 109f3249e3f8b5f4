"""The names of Maggy's ablation API, so that its notebooks need few changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from eolab.errors import BadInput

if TYPE_CHECKING:
    from eolab.config import Config
    from eolab.studies.ablation.preview import Preview
    from eolab.studies.ablation.study import Ablation


class _Names:
    """A set of names that is filled bit by bit."""

    def __init__(self) -> None:
        self.included: list[str] = []

    def include(self, *names: str | list[str]) -> None:
        """Add names; a list counts as its members."""
        for name in names:
            for one in [name] if isinstance(name, str) else name:
                if one not in self.included:
                    self.included.append(one)

    def exclude(self, *names: str) -> None:
        """Take names away again."""
        for name in names:
            if name not in self.included:
                raise BadInput(f"{name!r} is not included", f"Included: {self.included}.")
            self.included.remove(name)

    def list_all(self) -> list[str]:
        return list(self.included)


class _Layers(_Names):
    def __init__(self) -> None:
        super().__init__()
        self.groups: dict[str, str | list[str]] = {}

    def include_groups(self, *groups: Sequence[str], prefix: str | None = None) -> None:
        """Add groups of layers that go together: lists of names, or all with a prefix."""
        if prefix is not None:
            self.groups[prefix] = f"{prefix}*"
        for group in groups:
            if isinstance(group, str) or len(group) < 2:
                raise BadInput(
                    f"{group!r} is no group of layers", "Give lists of two names or more."
                )
            self.groups["+".join(group)] = list(group)


class _Model:
    def __init__(self) -> None:
        self.layers = _Layers()
        self.base_model_generator: Callable[..., object] | None = None

    def set_base_model_generator(self, generator: Callable[..., object]) -> None:
        """The function that makes the model (`build=`)."""
        self.base_model_generator = generator


class AblationStudy:
    """Collects what to leave out, and runs it by `ablate`."""

    def __init__(self) -> None:
        self.features = _Names()
        self.model = _Model()

    def run(
        self, config: Config, train: Callable[..., object], **options: object
    ) -> Ablation | Preview:
        """Run it; ``options`` are those of `eolab.studies.ablation.ablate`."""
        from eolab.studies.ablation.study import ablate

        given: dict[str, object] = {
            "features": self.features.list_all() or False,
            "layers": self.model.layers.list_all() or None,
            "modules": self.model.layers.groups or None,
            "build": self.model.base_model_generator,
            **options,
        }
        return ablate(config, train, **given)  # type: ignore[arg-type]
