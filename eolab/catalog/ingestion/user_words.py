"""What the user says of files before they are described: names of bands, scale, offset, nodata.

By file, by name of a band, or for all. The user's word counts before that of the files; where these
say something else, both are told.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TypeAlias, TypeGuard

from eolab.catalog.ingestion.file_names import Raster
from eolab.catalog.items.parsed import GIVEN
from eolab.errors import InvalidInputError, nearest

Bands: TypeAlias = "Sequence[str] | Mapping[str, str | Sequence[str]]"
Numbers: TypeAlias = "float | Mapping[str, float | Mapping[str, float]]"
_FIELDS = {"scale": "raster:scale", "offset": "raster:offset", "nodata": "nodata"}
_DEFAULTS = {"scale": 1.0, "offset": 0.0}


@dataclass
class UserWords:
    """The user's word on bands and numbers, checked against the files that are there.

    Attributes:
        bands: Names of all files' bands, or by file; or new names of bands, as `load` takes them.
        numbers: Scale, offset and nodata: for all, by file or by band.
        found: The files.
        notes: Where a file says something else, filled by `apply`.
    """

    bands: Bands | None
    numbers: Mapping[str, Numbers]
    found: Sequence[Path]
    notes: dict[str, None] = field(default_factory=dict)

    def apply(self, rasters: Sequence[Raster], *, whole: bool = True) -> list[Raster]:
        """The rasters with the user's word in their bands.

        Args:
            rasters: As the files describe them.
            whole: Whether these are all: a band that is not among some may be in others.

        Raises:
            InvalidInputError: Another number of names than a file has bands, names that are there
                twice, a file or band that is not there, no number.
        """
        named = [self._named(raster) for raster in rasters]
        if whole:
            self._check_renamed(rasters)
        known = {str(band["name"]) for raster in named for band in raster.bands}
        for word, value in self.numbers.items():
            self._check_numbers(word, value, known if whole else None)
        return [self._numbered(raster) for raster in named]

    def _named(self, raster: Raster) -> Raster:
        names = self._names_of(raster)
        old = [str(band["name"]) for band in raster.bands]
        if names == old:
            return raster
        bands = [
            {**band, "name": name, **({} if name == before else _given(band, "name"))}
            for band, name, before in zip(raster.bands, names, old, strict=True)
        ]
        return replace(raster, bands=bands)

    def _names_of(self, raster: Raster) -> list[str]:
        old = [str(band["name"]) for band in raster.bands]
        said: object = self.bands
        if isinstance(said, Mapping):
            said = _of_file(said, raster.path)
            if said is None:
                return self._renamed(raster, old)
        if said is None:
            return old
        listed = [said] if isinstance(said, str) else list(said) if _is_list(said) else []
        names = [name for name in listed if isinstance(name, str) and name.strip()]
        if not listed or len(names) < len(listed):
            raise InvalidInputError(
                f"bands = {said!r}", 'Give names: ["blue", "green", "red"], or a dict by file.'
            )
        if len(names) != len(old):
            one = "band" if len(old) == 1 else "bands"
            raise InvalidInputError(
                f"{raster.path.name} has {len(old)} {one} ({', '.join(old)}), "
                f"{len(names)} names are given: {', '.join(names)}",
                f"Give names by file: bands={{{raster.path.name!r}: [...]}}; files that are not"
                " named there keep their own.",
            )
        self._check_twice(raster, names)
        if any(before != name and not _is_plain(before, raster) for before, name in
               zip(old, names, strict=True)):  # fmt: skip
            self._note(f"{raster.path.name} calls its bands {', '.join(old)}: {', '.join(names)}"
                       " as given")  # fmt: skip
        return names

    def _renamed(self, raster: Raster, old: list[str]) -> list[str]:
        new = {before: name for name, before in self._renames().items()}
        names = [new.get(name, name) for name in old]
        self._check_twice(raster, names)
        return names

    def _renames(self) -> dict[str, str]:
        """New names of bands, from entries of the dict that name no file."""
        said = self.bands if isinstance(self.bands, Mapping) else {}
        made: dict[str, str] = {}
        for key, value in said.items():
            if not self._is_file(key):
                if not isinstance(value, str):
                    raise InvalidInputError(
                        f"bands: there is no file {key!r}",
                        nearest(str(key), [path.name for path in self.found], "files"),
                    )
                if value in made.values():
                    raise InvalidInputError(
                        f"bands: {value!r} gets two names", "Give each band one name."
                    )
                made[str(key)] = value
        return made

    def _check_renamed(self, rasters: Sequence[Raster]) -> None:
        known = {str(band["name"]) for raster in rasters for band in raster.bands}
        for before in self._renames().values():
            if before not in known:
                raise InvalidInputError(
                    f"bands: no file has a band {before!r}",
                    nearest(before, sorted(known), "bands"),
                )

    def _check_twice(self, raster: Raster, names: Sequence[str]) -> None:
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise InvalidInputError(
                f"{raster.path.name}: band {twice!r} is named twice", "Give each its own name."
            )

    def _check_numbers(self, word: str, value: object, known: set[str] | None) -> None:
        if not isinstance(value, Mapping):
            _check_number(word, value)
            return
        for key, said in value.items():
            if self._is_file(key) and isinstance(said, Mapping):
                self._check_numbers(f"{word} of {key}", said, known)
                continue
            if known is not None and not self._is_file(key) and key not in known:
                shown = [*sorted(known), *(path.name for path in self.found)]
                raise InvalidInputError(
                    f"{word}: {key!r} is no band and no file",
                    nearest(str(key), shown, "bands and files"),
                )
            _check_number(word, said)

    def _numbered(self, raster: Raster) -> Raster:
        bands = [self._band(raster, band) for band in raster.bands]
        return raster if bands == raster.bands else replace(raster, bands=bands)

    def _band(self, raster: Raster, band: dict[str, object]) -> dict[str, object]:
        name, made = str(band["name"]), dict(band)
        for word, value in self.numbers.items():
            number = _number_of(value, raster.path, name)
            if number is None:
                continue
            key = _FIELDS[word]
            own = band.get(key, _DEFAULTS.get(word) if "raster:scale" in band else None)
            if own is not None and not _same(own, number):
                self._note(f"{raster.path.name} says {word} {own} of {name}: {number:g} as given")
            made[key] = "nan" if math.isnan(number) else number
            made |= _given(made, word)
        # A factor of the user's goes with the user's addend, or none: as in `load`.
        if "scale" in _words(made) and "offset" not in _words(made):
            if not _same(band.get("raster:offset", 0.0), 0.0):
                self._note(
                    f"{raster.path.name} says offset {band['raster:offset']} of {name}: none beside"
                    " the given scale (offset= says one)"
                )
            made["raster:offset"] = 0.0
            made |= _given(made, "offset")
        return made

    def _is_file(self, key: object) -> bool:
        return any(_of_file({str(key): True}, path) for path in self.found)

    def _note(self, text: str) -> None:
        self.notes[text] = None


def keep_given(
    bands: Sequence[Mapping[str, object]], before: object, called: str
) -> tuple[list[dict[str, object]], str]:
    """Bands with what the user said of them in an earlier call, where this one is silent.

    Args:
        bands: As they are described now.
        before: Those of the item as it was.
        called: What the file is called, for the note.

    Returns:
        The bands, and a note; "" where nothing is taken over.
    """
    made = [dict(band) for band in bands]
    if not isinstance(before, list) or len(before) != len(made):
        return made, ""
    kept: set[str] = set()
    for band, old in zip(made, before, strict=True):
        words = _words(old) if isinstance(old, Mapping) else set()
        now = _words(band)
        if "scale" in now:
            words -= {"offset"}
        for word in sorted(words - now):
            key = "name" if word == "name" else _FIELDS[word]
            if key in old:
                band.update({key: old[key], **_given(band, word)})
                kept.add(word)
    note = f"{called}: {', '.join(sorted(kept))} as given in an earlier call" if kept else ""
    return made, note


def _given(band: Mapping[str, object], word: str) -> dict[str, object]:
    return {GIVEN: sorted({*_words(band), word})}


def _words(band: Mapping[str, object]) -> set[str]:
    said = band.get(GIVEN)
    return (
        {str(word) for word in said if word == "name" or word in _FIELDS}
        if _is_list(said)
        else set()
    )


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _is_plain(name: str, raster: Raster) -> bool:
    """Whether a band has no name of its own: it is called by its number or its file."""
    return name == raster.name.asset or (name.startswith("band") and name[4:].isdigit())


def _of_file(said: Mapping[str, object], path: Path) -> object:
    """What is said of a file: by path, name, with or without suffix, or a pattern (*_MS*)."""
    texts = (str(path), path.name, path.stem)
    for text in texts:
        if text in said:
            return said[text]
    for key, value in said.items():
        if any(sign in str(key) for sign in "*?") and fnmatchcase(path.name, str(key)):
            return value
    return None


def _number_of(value: object, path: Path, band: str) -> float | None:
    if not isinstance(value, Mapping):
        return float(str(value))
    said = _of_file(value, path)
    if isinstance(said, Mapping):
        said = said.get(band)
    if said is None:
        said = value.get(band)
    return None if said is None or isinstance(said, Mapping) else float(str(said))


def _check_number(word: str, value: object) -> None:
    import numpy as np

    plain = word.partition(" ")[0]
    real = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    fits = real and (plain == "nodata" or math.isfinite(float(str(value))))
    if not fits or (plain == "scale" and float(str(value)) == 0):
        raise InvalidInputError(
            f"{word} = {value!r}", "Give a number: values are numbers * scale + offset."
        )


def _same(one: object, other: object) -> bool:
    a, b = float(str(one)), float(str(other))
    return a == b or (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=1e-9)
