"""Where the sessions of a device lead: its addresses are resolved and checked once, and these are connected to."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from gateway.config import Config
from gateway.devices.login_budget import LoginBudget
from gateway.devices.sources import (
    AddressNotAllowed,
    SourcePolicy,
    SourceUrl,
    check_addresses,
    check_source,
    credentials_of,
    parse_source,
)
from gateway.errors import InvalidValue
from gateway.sources.registry import RTSP_PORTS, SourceRegistry
from gateway.sources.source import AddressSource, SourceSession, SourceTarget
from gateway.sources.tls import VERIFIED, TlsTrust
from gateway.sources.tracks import SourceError
from gateway.streams.queries import DeviceSettings
from workers.rtsp.certificate import Certificate, read_certificate
from workers.rtsp.session import RtspSession, RtspTarget
from workers.streams.login_session import LoginSession
from workers.streams.plugin_session import PluginSession
from workers.streams.plugin_steps import PluginSteps
from workers.streams.source_threads import THREADS

_CERTIFICATE_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Sources:
    """Give sessions that are not connected yet; they raise SourceError. `open_sub` is None without a sub-stream."""

    open_main: Callable[[], Awaitable[SourceSession]]
    open_sub: Callable[[], Awaitable[SourceSession]] | None = None


def sources_of(device: DeviceSettings, config: Config, logins: LoginBudget, registry: SourceRegistry) -> Sources:
    """The sources of a device under the settings."""
    trust = TlsTrust(device.tls_trust, device.tls_fingerprint)
    opening = SessionOpener(registry, config, logins, transport=device.transport, trust=trust)
    return Sources(
        open_main=partial(opening.open, device.source_url),
        open_sub=partial(opening.open, device.sub_source_url) if device.sub_source_url is not None else None,
    )


class SessionOpener:
    """Opens sessions with cameras by their URLs, by the settings of one device, within the budget of their logins."""

    def __init__(
        self,
        registry: SourceRegistry,
        config: Config,
        logins: LoginBudget | None,
        *,
        transport: str = "tcp",
        trust: TlsTrust = VERIFIED,
        policy: SourcePolicy | None = None,
        resolve: Callable[[str], list[str]] | None = None,
    ) -> None:
        """`resolve` gives the addresses of a host name; None: the system's resolver."""
        self._registry = registry
        self._policy = policy or SourcePolicy.from_config(config, registry.ports)
        self._resolve_name = resolve
        self.transport = transport
        self._trust = trust
        self._logins = logins
        self._connect_seconds = config.connect_timeout_seconds
        #: A step of a plugin may connect, be redirected, and log in.
        self._step_seconds = 3 * config.connect_timeout_seconds

    async def open(self, url: str) -> SourceSession:
        """A session with the camera of this URL, which is not connected yet. Raises SourceError."""
        source = self._check(url, "address_not_allowed")
        found = self._registry.find(source.scheme)
        if found is None:
            return await self._open_rtsp(source)
        plugin, provider = found
        steps = PluginSteps(plugin, THREADS.get(plugin))
        target = self._build_target(source, await self._resolve(source))
        if isinstance(provider, AddressSource):
            answer = await steps.run(lambda: provider.resolve(target), self._step_seconds)
            return await self._open_rtsp(self._check_answer(answer, steps))
        if not target.addresses:
            raise SourceError("unknown_host")
        follow = partial(self._follow, source, tuple(provider.schemes))
        session = PluginSession(provider, target, follow, steps, seconds=self._step_seconds)
        return self._limit_logins(session, source)

    # ---- RTSP --------------------------------------------------------------------------------------------------

    async def find_rtsp(self, url: str) -> RtspTarget:
        """The checked target of an rtsp or rtsps URL. Raises SourceError."""
        return await self._find_rtsp(self._check_scheme(self._check(url, "redirected"), RTSP_PORTS))

    async def follow_rtsp(self, url: str) -> RtspTarget:
        """The checked target of a redirect. Raises SourceError, which tells neither the address nor the rule: whoever
        chose the URL of a camera may not know this network."""
        try:
            return await self.find_rtsp(url)
        except SourceError as error:
            if error.reason == "address_not_allowed":
                raise SourceError(error.reason, "the camera redirects to an address that is not allowed") from None
            if error.reason == "unknown_host":
                raise SourceError("redirected", "the camera redirects to a host that cannot be resolved") from None
            raise

    async def _open_rtsp(self, source: SourceUrl) -> SourceSession:
        session = RtspSession(
            await self._find_rtsp(source),
            resolve_redirect=self.follow_rtsp,
            connect_seconds=self._connect_seconds,
            answer_seconds=self._connect_seconds,
        )
        return self._limit_logins(session, source)

    async def _find_rtsp(self, source: SourceUrl) -> RtspTarget:
        addresses = await self._resolve(source)
        if not addresses:
            raise SourceError("unknown_host")
        return RtspTarget(source, addresses, self.transport, self._trust)

    # ---- plugins -----------------------------------------------------------------------------------------------

    def _check_answer(self, url: object, steps: PluginSteps) -> SourceUrl:
        """The source that an AddressSource gives, under the same policy."""
        if not isinstance(url, str):
            raise steps.failure(f"it gave an address of the type {type(url).__name__}")
        return self._check_scheme(self._check(url, "source_failed"), RTSP_PORTS)

    async def _follow(self, asked: SourceUrl, schemes: tuple[str, ...], url: str) -> SourceTarget:
        """The target of a redirect of `asked`; the login goes to the same host alone, and never from TLS to none."""
        source = self._check_scheme(self._check(url, "redirected"), schemes)
        is_same = source.host == asked.host and (source.scheme == asked.scheme or source.scheme.endswith("s"))
        addresses = await self._resolve(source)
        if not addresses:
            raise SourceError("unknown_host")
        return self._build_target(
            source.with_credentials("", ""), addresses, credentials_of(asked) if is_same else None
        )

    def _build_target(
        self, source: SourceUrl, addresses: tuple[str, ...], credentials: tuple[str, str] | None = None
    ) -> SourceTarget:
        return SourceTarget(
            scheme=source.scheme,
            host=source.host,
            port=source.port or self._policy.ports[source.scheme],
            path=source.rest,
            credentials=credentials or credentials_of(source),
            addresses=addresses,
            transport=self.transport,
            trust=self._trust,
        )

    def _limit_logins(self, session: SourceSession, source: SourceUrl) -> SourceSession:
        return session if self._logins is None else LoginSession(session, source, self._logins)

    # ---- the policy --------------------------------------------------------------------------------------------

    def _check(self, url: str, reason: str) -> SourceUrl:
        try:
            if reason == "address_not_allowed" and parse_source(url).scheme not in self._policy.ports:
                raise SourceError("source_unknown")
            return check_source(url, self._policy)
        except AddressNotAllowed as error:
            raise SourceError("address_not_allowed", error.message) from error
        except InvalidValue as error:
            raise SourceError(reason, error.message) from error

    @staticmethod
    def _check_scheme(source: SourceUrl, schemes: object) -> SourceUrl:
        if source.scheme not in schemes:
            raise SourceError("redirected", f"the camera leads to an address with the scheme '{source.scheme}'")
        return source

    async def _resolve(self, source: SourceUrl) -> tuple[str, ...]:
        """The addresses of the host, all of which are allowed; empty if it has none."""
        loop = asyncio.get_running_loop()
        try:
            addresses = await loop.run_in_executor(
                None, check_addresses, source, self._policy, "source_url", self._resolve_name
            )
            return tuple(addresses)
        except AddressNotAllowed as error:
            raise SourceError("address_not_allowed", error.message) from error


async def shown_certificate(url: str, config: Config) -> Certificate | None:
    """The certificate that an rtsps camera shows; None for other sources, or without one."""
    if not url.startswith("rtsps:"):
        return None
    try:
        target = await SessionOpener(SourceRegistry(), config, None).find_rtsp(url)
    except SourceError:
        return None
    return await read_certificate(target, seconds=_CERTIFICATE_SECONDS)
