"""The Jupyter Server extension: routes, the watcher, the child process."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, cast

from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Float, Unicode

from eolab.errors import EolabError
from eolab.server import routes
from eolab.server.base import Services
from eolab.server.helper.process import Library
from eolab.server.tensorboard import TensorBoards
from eolab.server.watcher import Watcher
from eolab.server.workspace import Place

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

EVENT = "https://eolab.dev/events/workspace_changed/v1"
SCHEMA = Path(__file__).parent / "workspace_changed.yaml"


class EolabApp(ExtensionApp):
    """Serves `<base_url>eolab/api/v1/` and emits `workspace_changed`."""

    name = "eolab"
    extension_url = "/lab"

    workspace = Unicode(
        "",
        help="Folder or eolab.toml of the workspace. Empty: EOLAB_WORKSPACE, else the nearest "
        "eolab.toml upward from the server's root folder, else the user's data folder.",
    ).tag(config=True)

    interval = Float(
        0.5, help="Seconds between two looks at the workspace for changes.", min=0.1
    ).tag(config=True)

    call_timeout = Float(
        120.0,
        help="Seconds after which a call into the library is given up; the first ones import it.",
        min=1.0,
    ).tag(config=True)

    open_panel = Bool(
        False,
        help="Open the Earth Observation panel when JupyterLab is seen for the first time; "
        "afterwards the layout is the user's. `eolab lab` sets it.",
    ).tag(config=True)

    def initialize_settings(self) -> None:
        """Register the event and make what the handlers share."""
        server = cast("ServerApp", self.serverapp)
        if self.open_panel:
            page = server.web_app.settings.setdefault("page_config_data", {})
            page["eolabOpenPanel"] = "true"
        place = Place(self.workspace, str(server.root_dir))
        self.library = Library(log=self.log, timeout=self.call_timeout)
        self.services = Services(place=place, library=self.library, boards=TensorBoards())
        self._watching: asyncio.Task[None] | None = None
        assert server.event_logger is not None
        server.event_logger.register_event_schema(SCHEMA)

    def initialize_handlers(self) -> None:
        """Add the routes; Jupyter puts its base_url before them."""
        self.handlers.extend(
            (route, handler, {"services": self.services}) for route, handler in routes.ROUTES
        )

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        self._watching = asyncio.create_task(self._watch(serverapp))

    async def stop_extension(self) -> None:
        """Stop the watcher, the child process and TensorBoard."""
        if self._watching is not None:
            self._watching.cancel()
        self.library.close()
        await asyncio.to_thread(self.services.boards.close)

    async def _watch(self, serverapp: ServerApp) -> None:
        """Tell clients what changed: at most one event an interval, however much was written."""
        watcher = Watcher()
        fault = ""
        while True:
            await asyncio.sleep(self.interval)
            try:
                # In a thread: a network file system may take its time to answer a stat.
                topics = await asyncio.to_thread(lambda: watcher.scan(self.services.place.config()))
                if topics and serverapp.event_logger is not None:
                    serverapp.event_logger.emit(schema_id=EVENT, data={"topics": topics})
                fault = ""
            except Exception as error:
                # Whatever it is, it may pass: panels still fetch, and the watch goes on.
                if str(error) != fault:
                    fault = str(error)
                    expected = isinstance(error, EolabError | OSError)
                    self.log.warning(
                        "eolab: the workspace cannot be watched: %s", fault, exc_info=not expected
                    )
