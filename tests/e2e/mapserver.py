"""A user's own base maps on loopback: tiles of one colour as XYZ, WMTS and one PMTiles file."""

from __future__ import annotations

import gzip
import json
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

ZOOMS = 8
# Scale denominator of zoom 0 in WMTS: 2 pi a / 256 pixels, a pixel taken as 0.28 mm.
SCALE = 559_082_264.0287178
CAPABILITIES = """<?xml version="1.0"?>
<Capabilities xmlns="http://www.opengis.net/wmts/1.0" xmlns:ows="http://www.opengis.net/ows/1.1"
 xmlns:xlink="http://www.w3.org/1999/xlink" version="1.0.0"><Contents>
<Layer><ows:Title>Plain</ows:Title><ows:Identifier>plain</ows:Identifier>
<Style isDefault="true"><ows:Identifier>default</ows:Identifier></Style>
<Format>image/png</Format>
<TileMatrixSetLink><TileMatrixSet>web</TileMatrixSet></TileMatrixSetLink>
<ResourceURL format="image/png" resourceType="tile"
 template="{url}/wmts/{{TileMatrix}}/{{TileRow}}/{{TileCol}}.png"/></Layer>
<TileMatrixSet><ows:Identifier>web</ows:Identifier>
<ows:SupportedCRS>urn:ogc:def:crs:EPSG::3857</ows:SupportedCRS>{matrices}</TileMatrixSet>
</Contents></Capabilities>"""
MATRIX = """<TileMatrix><ows:Identifier>{zoom}</ows:Identifier>
<ScaleDenominator>{scale}</ScaleDenominator>
<TopLeftCorner>-20037508.3428 20037508.3428</TopLeftCorner><TileWidth>256</TileWidth>
<TileHeight>256</TileHeight><MatrixWidth>{many}</MatrixWidth><MatrixHeight>{many}</MatrixHeight>
</TileMatrix>"""


def tile(colour: tuple[int, int, int]) -> bytes:
    """A PNG of 256 x 256 pixels of one colour."""
    from eolab.catalog.panel.previews import png

    return png(np.broadcast_to(np.array(colour, np.uint8)[:, None, None], (3, 256, 256)).copy())


def capabilities(url: str) -> bytes:
    """The document by which a WMTS describes itself."""
    matrices = "".join(
        MATRIX.format(zoom=zoom, scale=SCALE / 2**zoom, many=2**zoom) for zoom in range(ZOOMS)
    )
    return CAPABILITIES.format(url=url, matrices=matrices).encode()


def pmtiles(picture: bytes) -> bytes:
    """A PMTiles file, version 3, whose tiles of all zooms are one picture.

    Source: the PMTiles version 3 specification (header of 127 bytes, directory of varints).
    """
    count = (4**ZOOMS - 1) // 3  # ids go zoom by zoom along the Hilbert curve
    directory = gzip.compress(bytes([1, 0]) + _varint(count) + _varint(len(picture)) + bytes([1]))
    metadata = gzip.compress(json.dumps({}).encode())
    leaves = 127 + len(directory) + len(metadata)
    header = b"PMTiles" + struct.pack(
        "<B11Q6B4iB2i",
        3,
        127, len(directory),
        127 + len(directory), len(metadata),
        leaves, 0,
        leaves, len(picture),
        count, 1, 1,
        1, 2, 1, 2, 0, ZOOMS - 1,  # clustered, gzip inside, tiles plain, PNG
        -1_800_000_000, -850_000_000, 1_800_000_000, 850_000_000,
        0, 0, 0,
    )  # fmt: skip
    return header + directory + metadata + picture


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


@contextmanager
def serving(colour: tuple[int, int, int] = (200, 30, 90)) -> Iterator[tuple[str, list[str]]]:
    """The server's address, and what it was asked for."""
    picture, asked = tile(colour), []
    archive = pmtiles(picture)

    class Maps(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_OPTIONS(self) -> None:
            self.answer(b"", "text/plain")

        def do_GET(self) -> None:
            asked.append(self.path)
            if self.path.startswith("/capabilities"):
                self.answer(capabilities(f"http://{self.headers['Host']}"), "text/xml")
            elif self.path.endswith(".pmtiles"):
                self.answer(archive, "application/octet-stream")
            else:
                self.answer(picture, "image/png")

        def answer(self, body: bytes, kind: str) -> None:
            wanted, whole = self.headers.get("Range"), len(body)
            if wanted:
                first, _, last = wanted.removeprefix("bytes=").partition("-")
                body = body[int(first) : int(last) + 1]
            self.send_response(206 if wanted else 200)
            if wanted:
                end = int(first) + len(body) - 1
                self.send_header("Content-Range", f"bytes {first}-{end}/{whole}")
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Access-Control-Allow-Headers", "*")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Maps)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
