"""`create_app`: wires settings, pages, routes and the run service together. Decides nothing itself."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from app import errors
from app.metrics import Metrics
from app.routes import ROUTERS
from app.runs.runner import Runner
from app.runs.service import Service, limits_of
from app.schema.problem import ProblemAnswer
from app.security import Guard
from app.settings import Settings
from app.store import Store, open_store
from app.templating import Pages

if TYPE_CHECKING:
    from app.sandbox.launch import Launched

log = logging.getLogger("backstep")


class Static(StaticFiles):
    """Files of static/. Under an address that names the content they never change."""

    def __init__(self, *, pages: Pages) -> None:
        super().__init__(directory=pages.static, check_dir=False)
        self.cache = "public, max-age=31536000, immutable" if pages.packed else "no-cache"

    async def get_response(self, path: str, scope: Scope) -> Any:
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = self.cache
        return response


def local_runner(settings: Settings, launched: Launched | None = None) -> Runner:
    """The embedded one: forked children in the box, one slot a core. `launched`: its first process, if on its way."""
    from app.sandbox import lockdown
    from app.sandbox.local import LocalRunner
    from app.sandbox.single_user import SingleUserRunner, banner

    if settings.unsafe_single_user and lockdown.unsupported():
        log.warning(banner())
        return SingleUserRunner(host=settings.host, queue=settings.queue, limits=limits_of(settings))
    return LocalRunner(
        slots=settings.slots,
        aside=settings.aside or None,
        queue=settings.queue,
        limits=limits_of(settings),
        stand_in=True,
        launched=launched,
    )


def create_app(
    settings: Settings | None = None, *, runner: Runner | None = None, store: Store | None = None
) -> FastAPI:
    """`runner` and `store` are for tests and for other places to run and keep; else the settings decide."""
    settings = settings or Settings()
    pages, metrics = Pages(), Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service = Service(runner or local_runner(settings), store or open_store(settings), settings, metrics)
        app.state.service = service
        app.state.banner = (await service.runner.health()).box.get("warning", "")
        # not awaited: pages are answered at once, programs wait until the box has been tried (/readyz tells)
        starting = asyncio.create_task(service.start())
        try:
            yield
        finally:
            starting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await starting
            await service.close()

    app = FastAPI(
        title="Backstep",
        version=pages.version,
        summary="A debugger for gradients: run PyTorch-shaped programs and step through their backward pass.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        responses={"4XX": {"description": "Refused, and why", "model": ProblemAnswer}},
    )
    app.state.settings, app.state.pages = settings, pages
    errors.install(app)
    for router in ROUTERS:
        app.include_router(router)
    static = GZipMiddleware(Static(pages=pages), minimum_size=1024)
    app.mount(pages.prefix.rstrip("/"), static, name="static")
    app.add_middleware(Guard, settings=settings, metrics=metrics)
    return app
