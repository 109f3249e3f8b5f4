"""The documentation builds without a warning and needs nothing but its own folder."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.jupyter import chromium
from tests.pages import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PYTHON = ROOT / ".make" / "docs" / "bin" / "python"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not PYTHON.exists(), reason="`make test-more` installs Sphinx"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages, as `make docs` builds them; notebooks that have not run stay bare."""
    out = tmp_path_factory.mktemp("docs")
    script = ROOT / "scripts" / "docs.py"
    built = subprocess.run(
        [PYTHON, script, "--skip-notebooks", "--out", out], capture_output=True, text=True
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return out / "html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


class _Loads(HTMLParser):
    """Addresses that a browser loads by itself, links that a reader may follow left out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        names = {"link": ("href",), "a": (), "form": ()}.get(tag, ("src", "data", "poster"))
        if tag == "link" and values.get("rel") in {"canonical", "next", "prev", "search", "index"}:
            return
        self.found += [value for name in names if (value := values.get(name))]


def _is_remote(address: str) -> bool:
    return address.startswith(("http:", "https:", "//"))


def test_no_page_names_anything_elsewhere_to_load(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 50
    for page in pages:
        reader = _Loads()
        reader.feed(page.read_text(encoding="utf-8"))
        remote = [address for address in reader.found if _is_remote(address)]
        assert not remote, f"{page.relative_to(site)} loads {remote}"
    for sheet in site.rglob("*.css"):
        found = re.findall(r"(?:url\(|@import )\s*['\"]?([^'\")\s]+)", sheet.read_text("utf-8"))
        assert not [address for address in found if _is_remote(address)], sheet


def test_pages_and_search_work_from_the_disk(site: Path, browser: Browser) -> None:
    asked: list[str] = []
    page = browser.new_page()
    page.on("request", lambda request: asked.append(request.url))
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    for name in ("index", "start", "rooms/catalogue", "api/catalogue", "tutorials/02-tuning"):
        page.goto((site / f"{name}.html").as_uri())
        assert page.locator("h1").first.inner_text()
    page.goto((site / "search.html").as_uri() + "?q=point-in-time")
    page.locator("#search-results li").first.wait_for()
    page.close()
    assert not [url for url in asked if not url.startswith(("file:", "data:"))]
    assert faults == []


def test_every_reference_page_says_what_its_name_does(site: Path) -> None:
    """A name without a docstring would leave a page with a signature only."""
    for page in (site / "api" / "generated").glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert re.search(r'<dt class="sig[^>]*>.*?<dd>\s*<p>', text, re.DOTALL), page.stem
