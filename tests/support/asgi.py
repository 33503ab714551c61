"""A browser's requests to an application of this process: no socket, cookies kept."""

import asyncio
from typing import Any

import httpx
from starlette.types import ASGIApp


class AsgiClient:
    """Sends requests one after the other and follows no redirect unless told to."""

    def __init__(self, app: ASGIApp, base_url: str) -> None:
        self._transport = httpx.ASGITransport(app)
        self._base_url = base_url
        self.cookies = httpx.Cookies()

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return asyncio.run(self._send(method, path, options))

    async def _send(self, method: str, path: str, options: dict[str, Any]) -> httpx.Response:
        kept = {"transport": self._transport, "base_url": self._base_url, "cookies": self.cookies}
        async with httpx.AsyncClient(**kept) as client:
            answer = await client.request(method, path, **options)
            self.cookies = client.cookies
            return answer
