"""What every handler shares: sign-in, the workspace, errors as `{message, hint}`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from jupyter_server.base.handlers import APIHandler
from tornado.web import HTTPError

from eolab.errors import EolabError, InvalidInputError, RemoteError
from eolab.server.contract.calls import HelperCall, is_answer
from eolab.server.helper.process import SEE_LOG
from eolab.server.study_readers import Followers
from eolab.server.wire import to_json

if TYPE_CHECKING:
    from types import TracebackType

    from eolab.server.contract.answers import ErrorJson
    from eolab.server.helper.process import Library
    from eolab.server.tensorboard import TensorBoards
    from eolab.server.workspace import Place
    from eolab.settings.config import Config

T = TypeVar("T")
B = TypeVar("B", bound=Mapping[str, object])
N = TypeVar("N", int, float)

RESOURCE = "eolab"
BODY_MOST = 1 << 20  # bytes
RESTART = "Restart Jupyter and reload the page: the two halves of eolab differ in version."


@dataclass(frozen=True)
class Services:
    """What the handlers of one server share."""

    place: Place
    library: Library
    boards: TensorBoards
    followers: Followers = field(default_factory=Followers)


class TooLargeError(InvalidInputError):
    """A request with more than any of ours needs."""

    status = 413

    def __init__(self) -> None:
        super().__init__(
            f"the request has more than {BODY_MOST >> 20} MB",
            "Send less; draw a simpler area.",
        )


class Handler(APIHandler):
    """Base of all routes.

    Every method of a subclass carries `@authenticated` and `@authorized`; the XSRF and origin
    checks are Jupyter Server's own (a test walks the routes).
    """

    auth_resource = RESOURCE

    def initialize(self, services: Services) -> None:
        """Called by tornado with what the route table carries."""
        self.services = services

    async def prepare(self) -> None:  # type: ignore[override]
        """Jupyter Server's own checks, and its XSRF check for reading too.

        A foreign page can load a picture or a script from here with the user's cookie and without
        an Origin header; Jupyter's check then looks at the XSRF token or the Referer.
        """
        await super().prepare()
        if len(self.request.body) > BODY_MOST:
            raise TooLargeError
        self.check_xsrf_cookie()

    @property
    def workspace(self) -> Config:
        """The workspace as it is configured now."""
        return self.services.place.config()

    async def call(self, call: HelperCall[T], /, **args: object) -> T:
        """Run a call of `eolab.server.helper.calls` in the child process.

        Raises:
            RemoteError: The child answered with something else.
        """
        value = await self.services.library.call(call.name, self.services.place, args)
        if not is_answer(value, call):
            raise RemoteError(f"the answer to {call.name} is no JSON object", SEE_LOG)
        return value

    async def forward(self, call: HelperCall[B], /, **args: object) -> None:
        """Finish with the answer of a call (see `call`)."""
        body = await self.call(call, **args)
        self.answer(body)

    def answer(self, value: Mapping[str, object] | str) -> None:
        """Finish with ``value`` as JSON (see `eolab.server.contract`); text is JSON already."""
        self.finish(value if isinstance(value, str) else to_json(value))

    def number(self, name: str, kind: type[N], default: N | None, low: N, high: N) -> N | None:
        """A query argument as a number between ``low`` and ``high``.

        Raises:
            InvalidInputError: It is no number, or outside.
        """
        text = self.get_query_argument(name, "")
        if not text:
            return default
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            raise InvalidInputError(
                f"{name}={text!r} cannot be used", f"Give a number, {low} to {high}."
            )
        return value

    def needed(self, name: str) -> str:
        """A query argument that must be there.

        Raises:
            InvalidInputError: It is missing.
        """
        value = self.get_query_argument(name, "")
        if not value:
            raise InvalidInputError(f"{name}= is missing", "Name what is wanted.")
        return value

    def box(self) -> list[float] | None:
        """The argument `bbox=w,s,e,n` in degrees.

        Raises:
            InvalidInputError: It is no box.
        """
        text = self.get_query_argument("bbox", "")
        if not text:
            return None
        try:
            box = [float(part) for part in text.split(",")]
        except ValueError:
            box = []
        if len(box) == 4:
            west, south, east, north = box
            if -180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90:
                return box
        raise InvalidInputError(
            f"bbox={text!r} cannot be used", "Give west,south,east,north in degrees."
        )

    def body(self) -> dict[str, object]:
        """The request's JSON object.

        Raises:
            InvalidInputError: There is none.
        """
        try:
            value = json.loads(self.request.body)
        except (ValueError, RecursionError):  # also lists in lists without end
            value = None
        if not isinstance(value, dict):
            raise InvalidInputError(
                "the request has no JSON object", "Send a JSON object as the body."
            )
        return value

    def write_error(self, status_code: int, **kwargs: object) -> None:
        """Answer with `{message, hint}`; a fault of ours says so, and its traceback is logged."""
        info = kwargs.get("exc_info")
        error = info[1] if isinstance(info, tuple) else None
        if isinstance(error, EolabError):
            status_code = error.status
            reply: ErrorJson = {"message": error.message, "hint": error.hint}
        elif isinstance(error, HTTPError):
            reason = error.reason or error.log_message
            reply = {"message": reason or self._reason, "hint": _HINTS.get(status_code, "")}
        else:
            reply = {
                "message": f"eolab's server half failed ({type(error).__name__})",
                "hint": "The details are in the log of Jupyter Server.",
            }
        self.set_status(status_code)
        self.finish(json.dumps(reply))

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Expected errors are the client's news, not the log's."""
        if not isinstance(value, EolabError):
            super().log_exception(typ, value, tb)


def text_of(body: dict[str, object], key: str, *, optional: bool = False) -> str:
    """A text of the request.

    Raises:
        InvalidInputError: It is missing, or no text.
    """
    value = body.get(key)
    if value is None and optional:
        return ""
    if not isinstance(value, str) or not (value or optional):
        raise InvalidInputError(f"{key} is missing or no text", f"Send {key} as text.")
    return value


_HINTS = {
    403: "Sign in to Jupyter again and reload the page; a page of a different origin is refused.",
    # Jupyter Server's answer to a foreign origin; our own routes raise NotFoundError.
    404: "Requests from a page of a different origin are refused.",
    405: RESTART,
}
