"""A Jupyter server on loopback and the browser that looks at it: for tests and benchmarks."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True)
class Lab:
    """A running Jupyter server.

    Attributes:
        url: With base_url, ending in a slash.
        token: Its token.
        folder: Its root_dir; the workspace is `folder/eolab-workspace`.
    """

    url: str
    token: str
    folder: Path

    def link(self, path: str) -> str:
        joint = "&" if "?" in path else "?"
        return f"{self.url}{path}{joint}token={self.token}"

    def get_list(self, path: str) -> list[dict]:
        found = self.get(path)
        assert isinstance(found, list)
        return found

    def get(self, path: str) -> dict:
        request = urllib.request.Request(
            self.url + path, headers={"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


def write_notebook(path: Path, source: str, shown: dict[str, object]) -> None:
    """A notebook with one cell that has run, as it was saved: its kernel is gone."""
    import nbformat

    output = nbformat.v4.new_output("display_data", data=shown)
    cell = nbformat.v4.new_code_cell(source, outputs=[output], execution_count=1)
    # Without a kernel's name a question for it would cover the page.
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": spec})
    nbformat.write(notebook, path)


@contextlib.contextmanager
def serve(
    folder: Path,
    *,
    application: str = "jupyterlab",
    python: str = sys.executable,
    base: str = "/",
    options: Sequence[str] = (),
    port: int = 0,
    token: str = "",
) -> Iterator[Lab]:
    """Run a Jupyter server on loopback in ``folder`` and stop it with everything it started."""
    token = token or secrets.token_hex(16)
    # A home of its own: Lab would restore what an earlier server's windows had open, and a click
    # on the sidebar's tab would then close it.
    home = Path(tempfile.mkdtemp(prefix=".jupyter-home-", dir=folder))
    runtime = home / "runtime"
    env = {k: v for k, v in os.environ.items() if not k.startswith(("EOLAB_", "JUPYTER"))}
    env |= {"JUPYTER_CONFIG_DIR": str(home / "config"), "JUPYTER_RUNTIME_DIR": str(runtime)}
    env |= {"JUPYTERLAB_SETTINGS_DIR": str(home / "settings")}
    env |= {"JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"), "IPYTHONDIR": str(home)}
    overrides = home / "settings" / "@jupyterlab" / "apputils-extension"
    overrides.mkdir(parents=True, exist_ok=True)
    # The question about Jupyter news covers the corner of every screenshot.
    (overrides / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
    command = [python, "-m", application, "--no-browser", "--allow-root", f"--port={port}"]
    command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.root_dir={folder}"]
    command += [f"--IdentityProvider.token={token}", f"--ServerApp.base_url={base}"]
    command += options
    log = (home / "server.log").open("w")
    process = subprocess.Popen(
        command, cwd=folder, env=env, stdout=log, stderr=log, start_new_session=True
    )
    try:
        url = _address(process, runtime, home / "server.log")
        yield Lab(url, token, folder)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        log.close()


def _address(process: subprocess.Popen, runtime: Path, log: Path) -> str:
    """The server's address, as it writes it into its runtime folder once it listens."""
    end = time.monotonic() + 90
    while time.monotonic() < end:
        # Another server may run in the same folder: only the one of this process counts.
        with contextlib.suppress(FileNotFoundError, ValueError):
            return str(json.loads((runtime / f"jpserver-{process.pid}.json").read_text())["url"])
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError(f"Jupyter did not start:\n{log.read_text()[-3000:]}")


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium: the one that `scripts/browser.py` finds.

    Raises:
        RuntimeError: There is none, and none could be installed.
    """
    found = subprocess.run(
        [sys.executable, ROOT / "scripts" / "browser.py"], capture_output=True, text=True
    )
    if found.returncode:
        raise RuntimeError(found.stdout)
    with sync_playwright() as play:
        started = play.chromium.launch(
            executable_path=found.stdout.split()[-1], headless=True, args=FLAGS
        )
        try:
            yield started
        finally:
            started.close()


def open_palette(page: Page) -> None:
    """The command palette by its shortcut: JupyterLab knows shortcuts only after its settings."""
    page.wait_for_function(
        "window.jupyterapp?.commands.keyBindings"
        ".some(binding => binding.command === 'apputils:activate-command-palette')"
    )
    # What it restores takes the focus, and where that is nothing the launcher, a second later.
    page.evaluate("() => window.jupyterapp.restored")
    page.wait_for_function("window.jupyterapp.shell.currentWidget")
    page.evaluate("() => new Promise(done => setTimeout(() => requestAnimationFrame(done)))")
    page.locator("body").press("Control+Shift+C")
    expect(page.locator(".lm-CommandPalette-input")).to_be_focused()


def run_by_palette(page: Page, typed: str, label: str) -> None:
    """Type into the palette and take what it finds: it looks for it a moment after the last key."""
    open_palette(page)
    page.keyboard.type(typed)
    expect(page.locator(".lm-CommandPalette-item.lm-mod-active")).to_contain_text(label)
    page.keyboard.press("Enter")


def set_theme(page: Page, theme: str) -> None:
    page.evaluate(
        "theme => void window.jupyterapp.commands.execute('apputils:change-theme', { theme })",
        f"JupyterLab {theme}",
    )
    light = "true" if theme == "Light" else "false"
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", light)
    # Lab covers itself while it loads a theme.
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)
