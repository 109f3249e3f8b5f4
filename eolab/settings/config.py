"""`eolab.toml` and the folder that it names: the workspace.

Found upward from the working directory, else in the user's data folder. Nothing needs to be
configured: without a file there are the local cluster, the sample catalogue once it is made, and
Earth Search.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tomllib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from eolab.errors import ConfigError, InvalidInputError
from eolab.files import folders
from eolab.redaction import note_secret, secrets_of_address
from eolab.settings import limits, logins
from eolab.settings.clusters import CLUSTER_OPTIONS, read_options
from eolab.settings.limits import Limits
from eolab.settings.tables import Section

FORMAT = 1
FILE = "eolab.toml"
SECTIONS = ("format", "workspace", "catalogs", "clusters", "features", "limits")
EARTH_SEARCH = "https://earth-search.aws.element84.com/v1"
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$")


@dataclass(frozen=True)
class CatalogConfig:
    """A place to search: a STAC API, a static catalogue (folder or URL) or a stac-geoparquet file.

    Attributes:
        name: What users call it.
        url: http(s) address or absolute path.
        kind: "api", "static" or "geoparquet"; "auto" looks at the address.
        description: One line for the panel.
        login: How it lets us in.
    """

    name: str
    url: str
    kind: str = "auto"
    description: str = ""
    login: logins.Login = field(default_factory=logins.Login)


@dataclass(frozen=True)
class ClusterConfig:
    """A place to run trials.

    Attributes:
        name: What users call it.
        kind: "local" (processes on this machine) or "spark".
        workers: Default number of workers; 0 takes one a core.
        options: What else the kind needs (see `eolab.settings.clusters`).
    """

    name: str
    kind: str = "local"
    workers: int = 0
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Config:
    """A workspace's folder and what is configured in it.

    Attributes:
        root: The workspace folder (absolute; made on first use).
        file: The `eolab.toml` that named it, or None.
        tracking_uri: MLflow's address; None means SQLite in the workspace.
        online_url: PostgreSQL for the online feature store; None means SQLite beside each group.
        download_folder: Where files of scenes are saved; None means in the workspace.
        roots: Folders in which local catalogues may name files, besides their own.
        shared: Others work in it, too: its folder and logs are made for the owner's group.
        limits: How long remote services may keep us (`eolab.settings.limits`).
    """

    root: Path
    file: Path | None = None
    tracking_uri: str | None = None
    catalogs: Mapping[str, CatalogConfig] = field(default_factory=dict)
    clusters: Mapping[str, ClusterConfig] = field(default_factory=dict)
    online_url: str | None = None
    download_folder: Path | None = None
    roots: tuple[Path, ...] = ()
    shared: bool = False
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        folders.note_workspace(self.root, shared=self.shared, said=self.file is not None)

    @property
    def runs(self) -> Path:
        """One folder a study."""
        return self.root / "runs"

    @property
    def features(self) -> Path:
        """Feature tables and their registry."""
        return self.root / "features"

    @property
    def models(self) -> Path:
        """Artifacts of registered models."""
        return self.root / "models"

    @property
    def sample(self) -> Path:
        """The simulated sample region."""
        return self.root / "sample"

    @property
    def downloads(self) -> Path:
        """Where files of scenes are saved."""
        return self.download_folder or self.root / "downloads"

    @property
    def transfers(self) -> Path:
        """One folder a download that a panel or the command line started."""
        return self.root / "transfers"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def mlflow_uri(self) -> str:
        """The tracking URI that MLflow gets."""
        return self.tracking_uri or f"sqlite:///{self.root / 'mlflow.db'}"

    def identity(self) -> str:
        """The workspace's id: made once, kept in `workspace.json`."""
        path = self.root / "workspace.json"
        try:
            return str(json.loads(path.read_text())["id"])
        except FileNotFoundError:
            folders.make(self.root)
            made = uuid.uuid4().hex
            # Whole or not at all: others may be reading it.
            draft = path.with_name(f".{path.name}.{made}")
            draft.write_text(json.dumps({"format": FORMAT, "id": made}))
            try:
                os.link(draft, path)
            except FileExistsError:
                pass  # another thread or process was first; its id counts
            except OSError:  # a file system without links
                if not path.exists():
                    draft.replace(path)
            finally:
                draft.unlink(missing_ok=True)
            return str(json.loads(path.read_text())["id"])
        except (ValueError, KeyError) as error:
            raise ConfigError(
                f"{path} is damaged: {error}", "Restore it, or delete it to get a new id."
            ) from error


def is_name(name: object) -> bool:
    """Whether a name is safe as a folder (see `check_name`)."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def check_name(name: str, what: str) -> str:
    """A name that is safe as a folder: letters, digits, ``_ . -``, at most 128, no leading dot.

    Raises:
        InvalidInputError: Otherwise.
    """
    if not is_name(name):
        raise InvalidInputError(
            f"{name!r} is not a good name for a {what}",
            "Use letters, digits, '_', '-' and '.', starting with a letter or digit (at most 128).",
        )
    return name


def find(start: str | os.PathLike[str] | None = None) -> Config:
    """The configuration that counts for ``start`` (default: the working directory).

    In order: the folder or file in EOLAB_WORKSPACE, the nearest `eolab.toml` upward, the user's
    data folder.

    Raises:
        ConfigError: The file that counts has a fault.
    """
    file = find_file(start)
    if file is not None:
        return load(file)
    named = os.environ.get("EOLAB_WORKSPACE")
    return open_path(named) if named else _complete(Config(root=user_folder()))


def find_file(start: str | os.PathLike[str] | None = None) -> Path | None:
    """The `eolab.toml` that `find` reads; None where none counts.

    Args:
        start: As for `find`.
    """
    named = os.environ.get("EOLAB_WORKSPACE")
    if named:
        path = Path(named).expanduser().resolve()
        file = path if path.suffix == ".toml" else path / FILE
        return file if file == path or file.is_file() else None
    here = Path(start or Path.cwd()).resolve()
    return next((f / FILE for f in (here, *here.parents) if (f / FILE).is_file()), None)


def open_path(path: str | os.PathLike[str]) -> Config:
    """A workspace by its `eolab.toml`, a folder that holds one, or the workspace folder itself."""
    path = Path(path).expanduser().resolve()
    if path.suffix == ".toml":
        return load(path)
    if (path / FILE).is_file():
        return load(path / FILE)
    if path.exists() and not path.is_dir():
        raise InvalidInputError(f"{path} is not a folder", "Name a folder, or an eolab.toml.")
    return _complete(Config(root=path))


def user_folder() -> Path:
    """Where the workspace lives when nothing names one."""
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    elif os.name == "nt":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    else:
        base = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share"))
    return base / "eolab" / "workspace"


def init(folder: str | os.PathLike[str], workspace: str = "eolab-workspace") -> Config:
    """Write a commented `eolab.toml` into ``folder`` (an existing one is kept) and read it."""
    file = Path(folder).expanduser().resolve() / FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    text = (
        f"format = {FORMAT}\n\n"
        "[workspace]\n"
        f"path = {json.dumps(workspace)}   # relative to this file\n"
        '# tracking = "https://mlflow.example.org"   # default: SQLite in the workspace\n'
        '# downloads = "scenes"   # where files of scenes are saved; default: in the workspace\n'
        '# roots = ["/data"]   # where else local catalogues may name files\n'
        "# shared = true   # others of your group work in it; default: it is yours alone\n\n"
        "# [features]\n"
        '# online = "postgresql://user@host/database"   # default: SQLite in the workspace\n\n'
        "[catalogs.earth-search]\n"
        f'url = "{EARTH_SEARCH}"\n\n'
        "# [catalogs.mine]\n"
        '# url = "scenes/catalog.json"   # a static catalogue, a .parquet file or a STAC API\n\n'
        "[clusters.local]\n"
        'kind = "local"\n'
        "# workers = 2   # default: one a core\n\n"
        "# [clusters.big]\n"
        '# kind = "spark"\n'
        '# connect = "sc://spark.example.org:443/;use_ssl=true"   # or master = "spark://host:7077"\n'
        '# token_env = "SPARK_TOKEN"   # the environment variable with its token\n\n'
        "# [limits]   # of what remote services send\n"
        "# pages = 200   # of one search; minutes, megabytes, retry_after: see SECURITY.md\n"
    )
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        pass
    return load(file)


def load(file: Path) -> Config:
    """Read and check an `eolab.toml`.

    Raises:
        ConfigError: Naming the file, the key and what is allowed.
    """
    if folders.is_endless(file):
        raise ConfigError(f"{file} is no file", "Name an eolab.toml, or its folder.")
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be read: {error.strerror}", "Check the path and its permissions."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{file} is not valid TOML: {error}", "Mend that line, or compare with `eolab init`."
        ) from error
    top = Section(file, "", document, SECTIONS)
    if top.get("format", int, FORMAT) != FORMAT:
        raise ConfigError(
            f"{file}: format = {document['format']}, allowed: {FORMAT}",
            "It was written by another version of eolab; upgrade eolab, or mend the file.",
        )
    space = top.section("workspace", ("path", "tracking", "downloads", "roots", "shared"))
    path = space.get("path", str, "eolab-workspace")
    catalogs = {}
    for section in top.named("catalogs", ("url", "kind", "description", *logins.KEYS), check_name):
        url = section.get("url", str)
        kind = section.one_of("kind", ("auto", "api", "static", "geoparquet"), "auto")
        logins.check_address(url, f"{file}: {section.key}.url", new=False)
        if "://" not in url:
            url = str((file.parent / Path(url).expanduser()).resolve())
        catalogs[section.name] = CatalogConfig(
            section.name,
            url,
            kind,
            section.get("description", str, ""),
            logins.parse(section.value, f"{file}: {section.key}", new=False),
        )
    clusters = {}
    for section in top.named("clusters", ("kind", "workers", *CLUSTER_OPTIONS), check_name):
        kind = section.one_of("kind", ("local", "spark"), "local")
        workers = section.get("workers", int, 0)
        if workers < 0:
            raise ConfigError(
                f"{file}: {section.key}.workers = {workers}, allowed: 0 or more",
                "0 takes one a core.",
            )
        clusters[section.name] = ClusterConfig(
            section.name, kind, workers, read_options(section, kind)
        )
    root = (file.parent / Path(path).expanduser()).resolve()
    tracking = space.get("tracking", str, "") or None
    for value in secrets_of_address(tracking or "").values():
        note_secret(value)  # MLflow's own way: it may stand there, and is shown nowhere
    named = space.get("downloads", str, "")
    downloads = (file.parent / Path(named).expanduser()).resolve() if named else None
    roots = _roots(space)
    online = _online(top)
    shared = space.get("shared", bool, default=False)
    bounds = limits.read(top.section("limits", limits.NAMES))
    return _complete(
        Config(root, file, tracking, catalogs, clusters, online, downloads, roots, shared, bounds)
    )


def _roots(space: Section) -> tuple[Path, ...]:
    """Folders that the file names."""
    named = space.get("roots", list, [])
    if not all(isinstance(folder, str) and folder for folder in named):
        raise ConfigError(
            f"{space.file}: workspace.roots = {named!r}, allowed: a list of folders",
            'For example: roots = ["/data/scenes"]',
        )
    return tuple((space.file.parent / Path(folder).expanduser()).resolve() for folder in named)


def _online(top: Section) -> str | None:
    """Where the online feature store is."""
    section = top.section("features", ("online",))
    url = section.get("online", str, "")
    if not url:
        return None
    logins.check_address(url, f"{top.file}: features.online", new=False)
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ConfigError(
            f"{top.file}: features.online = {url!r}, allowed: postgresql://user@host/database",
            "Leave it out for SQLite in the workspace.",
        )
    if parts.password is not None or "password=" in parts.query:
        raise ConfigError(
            f"{top.file}: features.online holds a password",
            "Put it into PGPASSWORD, ~/.pgpass or a service file, as for any client of PostgreSQL.",
        )
    return url


def built_in(config: Config) -> dict[str, CatalogConfig]:
    """Catalogues that need no configuration, by name; a file may say them otherwise."""
    return {
        "sample": CatalogConfig(
            "sample",
            str(config.sample / "catalog.json"),
            "static",
            "Simulated season, made by `eolab sample`",
        ),
        "earth-search": CatalogConfig(
            "earth-search", EARTH_SEARCH, "api", "Sentinel and Landsat on AWS (Element 84)"
        ),
        "planetary-computer": CatalogConfig(
            "planetary-computer",
            "https://planetarycomputer.microsoft.com/api/stac/v1",
            "api",
            "Sentinel, Landsat and more on Azure; addresses are signed for you",
            logins.PLANETARY_COMPUTER,
        ),
        "cdse": CatalogConfig(
            "cdse",
            "https://stac.dataspace.copernicus.eu/v1",
            "api",
            "Copernicus Data Space; files need CDSE_S3_KEY and CDSE_S3_SECRET",
            logins.COPERNICUS,
        ),
    }


def _complete(config: Config) -> Config:
    """Add what needs no configuration."""
    clusters = {
        "local": ClusterConfig("local"), "spark": ClusterConfig("spark", "spark"), **config.clusters
    }  # fmt: skip
    catalogs = {**built_in(config), **config.catalogs}
    return replace(config, catalogs=catalogs, clusters=clusters)
