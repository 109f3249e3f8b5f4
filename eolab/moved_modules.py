"""Modules under the names that they had before, for one release.

Workspaces hold pickles that name modules (`plan.pkl`), notebooks hold imports: both go on working.
The one table below says where each module stands now; digests of studies keep to the old names, so
that a study is still found by what it was.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, cast

from eolab.deprecation import warn_renamed

# A folder of today -> what came there: OLD>NEW, the old name counted from `eolab`.
_TABLE = {
    "": "data>training_data garbage>gc_pause warned>user_warnings",
    "catalog.areas": "catalog.antimeridian>antimeridian catalog.areas>areas",
    "catalog.cube": (
        "catalog.checks>checks catalog.clear>clear_fraction catalog.composite>composite "
        "catalog.cube>load catalog.grid>grid catalog.memory>free_memory "
        "catalog.pictures>plots catalog.planning>plan catalog.sar>radar "
        "catalog.stored>odc_adapter"
    ),
    "catalog.downloads": (
        "catalog.downloading>files catalog.transfer>transfer catalog.transfer_process>process"
    ),
    "catalog.ingestion": (
        "catalog.collection_file>collection_files catalog.containers>netcdf_zarr "
        "catalog.describing>raster_files catalog.ingestion>collection "
        "catalog.naming>file_names"
    ),
    "catalog.io": (
        "catalog.access>logins catalog.fetch>documents catalog.line>cancellation "
        "catalog.objects>s3 catalog.reading>rasters catalog.roots>allowed_folders"
    ),
    "catalog.items": (
        "catalog.bands>bands catalog.indices>spectral_indices catalog.masks>quality_masks "
        "catalog.radiometry>radiometry catalog.resolve>duplicates"
    ),
    "catalog.panel": (
        "catalog.field>field_series catalog.finding>search catalog.preview>previews "
        "catalog.snapshot>browse"
    ),
    "catalog.query": "catalog.cql2>cql2 catalog.query>query catalog.words>free_text",
    "catalog.simulate": "catalog.simulate>write",
    "catalog.sources": (
        "catalog.api>api catalog.documents>parse_items catalog.found>item_collection "
        "catalog.geoparquet>geoparquet catalog.geoparquet_writer>geoparquet_writer "
        "catalog.index>crawled catalog.notes>search_entries catalog.opening>open "
        "catalog.sources>base catalog.static>static"
    ),
    "cli": "cli>app studies.commands>studies",
    "features": "features.snapshot>panel",
    "features.engines": (
        "features.join>point_in_time features.spark>spark features.spatial>spatial_join"
    ),
    "features.engines.spark": (
        "features.spark.joining>join features.spark.reading>read features.spark.writing>write"
    ),
    "features.extract": (
        "features.chips>chips features.cubes>cube_layout features.embeddings>embeddings "
        "features.extract>points_and_pixels features.extraction>interface "
        "features.radar>radar_indices features.saved_chips>saved_chips "
        "features.seasons>seasonal features.spark.extracting>on_spark "
        "features.tables>labelled_tables features.terrain>terrain features.zones>zonal"
    ),
    "features.groups": "features.group>group features.inserting>insert features.registry>registry",
    "features.online": "features.online>sqlite features.postgres>postgres",
    "features.queries": "features.query>query features.windows>time_steps",
    "features.samples": (
        "features.functions>on_demand features.samples>samples "
        "features.transformations>transformations"
    ),
    "features.splits": (
        "features.parts>assign features.splits>blocks features.splitting>split "
        "models.analysis>block_metrics"
    ),
    "features.storage": (
        "features.commits>commits features.disk>files features.fetching>row_fetch "
        "features.offline>delta_table features.schema>arrow features.sql>duckdb "
        "features.statistics>statistics features.validation>expectations"
    ),
    "features.training": "features.chip_datasets>chip_datasets features.datasets>datasets",
    "features.views": (
        "features.checks>leakage features.options>options features.scores>fold_scores "
        "features.serving>vectors features.view>view"
    ),
    "files": "locks>locks",
    "records": "lineage>lineage saved>saved_searches search>search_index transfers>downloads",
    "server": "server.followers>study_readers",
    "server.handlers": "server.catalogs>catalogs server.features>features server.studies>studies",
    "server.helper": "server.calls>calls server.child>child server.library>process",
    "settings": (
        "cluster_options>clusters config>config config_file>edit logins>logins "
        "sections>tables toml_text>toml_tables"
    ),
    "studies.client": (
        "studies.checks>checks studies.detach>launch studies.export>export "
        "studies.fitted>fitted_model studies.imports>imports studies.refitting>refit "
        "studies.shipping>packing studies.study>study studies.tuning>tune"
    ),
    "studies.coordinator": (
        "studies.advice>strategies studies.endpoint>http studies.ledger>trials "
        "studies.mailbox>mailbox studies.process>process studies.protocol>coordinator "
        "studies.service>requests"
    ),
    "studies.journal": "studies.journal>files studies.record>state",
    "studies.panel": (
        "studies.band>stop_bounds studies.importance>importance studies.timeline>timeline"
    ),
    "studies.plans": "studies.plan>base studies.promotion>asha studies.strategy>factory",
    "studies.samplers": (
        "studies.evolution>cmaes studies.suggest>base studies.surrogate>optuna "
        "studies.table>optuna_storage"
    ),
    "studies.space": "studies.parameters>parameters studies.seeds>seeds studies.space>space",
    "studies.stopping": "studies.rules>rules studies.stopping>base",
    "studies.surgery": "studies.surgery>keras studies.torch_surgery>torch",
    "studies.worker": (
        "studies.callbacks>callbacks studies.checkpoints>checkpoints "
        "studies.child>trial_process studies.link>link studies.quiet>tensorflow_notes "
        "studies.reporter>reporter studies.runner>child_process studies.worker>supervisor"
    ),
}


def _rows() -> dict[str, str]:
    rows = {}
    for home, cells in _TABLE.items():
        for cell in cells.split():
            old, _, new = cell.partition(">")
            rows[f"eolab.{old}"] = f"eolab.{home}.{new}" if home else f"eolab.{new}"
    return rows


NOW = _rows()
"""Old module name to today's."""


def name_before(module: str) -> str:
    """The name that a module had before the move; a module that did not move keeps its own."""
    return _BEFORE.get(module, module)


# Renamed classes and functions of ours that code of users may name: in digests they keep the names
# that they had.
_OBJECTS = {
    "eolab.errors": "BadInput>InvalidInputError NotFound>NotFoundError Conflict>ConflictError",
    "eolab.features.extract.seasonal": "seasonal>seasonal_features",
    "eolab.features.samples.on_demand": "transformation>on_demand_transformation",
    "eolab.features.splits.blocks": "Blocks>SpatialBlocks Times>TimeSplit",
    "eolab.features.views.fold_scores": "fold_scores>cross_validate",
    "eolab.features.views.leakage": "suspect_labels>find_label_issues",
    "eolab.studies.space.parameters": "discrete>ordinal",
}


def object_before(module: str, name: str) -> str:
    """The name that a class or function of a module had before it was renamed, or its own."""
    return _NAMES_BEFORE.get((module, name), name)


_NAMES_BEFORE = {
    (module, new): old
    for module, cells in _OBJECTS.items()
    for old, _, new in (cell.partition(">") for cell in cells.split())
}
_BEFORE = {now: old for old, now in NOW.items()}


def _warn(old: str) -> None:
    warn_renamed(old, NOW[old])


class _Loader:
    # No subclass of importlib.abc: importing that alone takes as long as all of `import eolab`.
    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        """The import system makes an empty module, which `exec_module` replaces."""

    def exec_module(self, module: ModuleType) -> None:
        # The import system takes what stands in sys.modules afterwards: the module itself, no copy.
        sys.modules[module.__name__] = importlib.import_module(NOW[module.__name__])


class _Finder:
    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in NOW:
            return None
        _warn(fullname)
        return importlib.machinery.ModuleSpec(fullname, cast(Any, _Loader()))


def install() -> None:
    """Let old module names be imported. It is asked last: a module of today's comes first."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())


def names_of(package: str) -> Callable[[str], object]:
    """A `__getattr__` for a package named as a module was: it finds the names of that module."""

    def find(name: str) -> object:
        # `from package import name` asks here before it looks for a file of that name.
        paths = sys.modules[package].__path__
        if name.startswith("__") or importlib.machinery.PathFinder.find_spec(name, paths):
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(NOW[package]), name)
        _warn(package)
        return value

    return find
