"""A real RabbitMQ for tests: Debian's rabbitmq-server as a node of its own on free ports.

It listens with TLS too, there for clients with a certificate of its own authority alone.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

from certificates import Authority

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
CONTROL = SERVER.with_name("rabbitmqctl")
START_SECONDS = 90.0
STOP_SECONDS = 30.0


class RabbitMq:
    """One node with its files in `folder`; started, killed and started again as a test wants."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._name = f"absah-{uuid.uuid4().hex[:12]}@localhost"
        self._port, self._tls_port, self._dist_port, self._epmd_port = free_ports(4)
        self.authority = Authority(folder / "tls")
        self._certificate = self.authority.issue("localhost")
        self._epmd: subprocess.Popen[bytes] | None = None
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address for AMQP clients."""
        return f"amqp://guest:guest@127.0.0.1:{self._port}/%2F"

    @property
    def tls_url(self) -> str:
        """The address for AMQP clients with a certificate."""
        return f"amqps://guest:guest@localhost:{self._tls_port}/%2F"

    @property
    def port(self) -> int:
        """Where it listens without TLS."""
        return self._port

    def start(self) -> None:
        """Start the node and wait until it takes connections; raises RuntimeError."""
        _install()
        if self._epmd is None:
            # Erlang's port mapper would otherwise stay behind as a daemon.
            self._epmd = subprocess.Popen(
                [_epmd(), "-port", str(self._epmd_port), "-address", "127.0.0.1"]
            )
        for name in ("mnesia", "log", "home"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        (self._folder / "plugins").write_text("[].\n")
        (self._folder / "rabbitmq.conf").write_text(
            "\n".join(
                (
                    f"listeners.tcp.default = 127.0.0.1:{self._port}",
                    f"listeners.ssl.default = 127.0.0.1:{self._tls_port}",
                    f"ssl_options.cacertfile = {self.authority.file}",
                    f"ssl_options.certfile = {self._certificate.file}",
                    f"ssl_options.keyfile = {self._certificate.key_file}",
                    "ssl_options.verify = verify_peer",
                    "ssl_options.fail_if_no_peer_cert = true",
                    "log.console = false",
                    "",
                )
            )
        )
        with (self._folder / "output").open("ab") as output:
            self._server = subprocess.Popen(
                [SERVER],
                env=self._environment(),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._wait()

    def control(self, *arguments: str) -> None:
        """Run a command of rabbitmqctl."""
        subprocess.run(
            [CONTROL, "--quiet", *arguments],
            check=True,
            env=self._environment(),
            stdout=subprocess.DEVNULL,
            timeout=60,
        )

    def kill(self) -> None:
        """End it as a power cut would.

        RabbitMQ 3.10 forgets quorum queues by that which were declared within the last minutes
        and not since it was last stopped in order: `restart` it once before.
        """
        self._signal(signal.SIGKILL)

    def halt(self) -> None:
        """End it in order; it can be started again."""
        self._signal(signal.SIGTERM)

    def restart(self) -> None:
        """End it in order, and start it again."""
        self.halt()
        self.start()

    def stop(self) -> None:
        """End it in order and for good, with its port mapper."""
        if self._server is not None:
            self.halt()
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait()
            self._epmd = None

    def _signal(self, number: signal.Signals) -> None:
        assert self._server is not None
        # The script starts Erlang as a child: the group is ours alone.
        os.killpg(self._server.pid, number)
        self._server.wait(timeout=60)
        self._server = None
        # The script may be gone before Erlang is.
        end = time.monotonic() + STOP_SECONDS
        while _listening(self._port) or _listening(self._dist_port):
            if time.monotonic() > end:
                raise RuntimeError("RabbitMQ does not end")
            time.sleep(0.02)

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self._folder / "home"),
            "RABBITMQ_NODENAME": self._name,
            "RABBITMQ_NODE_PORT": str(self._port),
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_MNESIA_BASE": str(self._folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self._folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(self._folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            # Spinning schedulers take a small machine's processors from what is tested.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none",
        }

    def _wait(self) -> None:
        assert self._server is not None
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self._server.poll() is not None:
                break
            if _listening(self._port):
                return
            time.sleep(0.1)
        output = (self._folder / "output").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"RabbitMQ does not start:\n{output}")


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _install() -> None:
    """Install it where that can be done; raises RuntimeError that says how otherwise."""
    if SERVER.exists():
        return
    if shutil.which("apt-get") and os.geteuid() == 0:
        # Test runners beside each other would come into each other's way.
        with (Path(tempfile.gettempdir()) / "absah-rabbitmq.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            _apt_get("update")
            _apt_get("install", "-y", "--no-install-recommends", "rabbitmq-server")
    if not SERVER.exists():
        raise RuntimeError(
            "RabbitMQ is not installed: `sudo apt-get install rabbitmq-server`, or name a broker "
            "with ABSAH_AMQP_URL"
        )


def _apt_get(*arguments: str) -> None:
    subprocess.run(
        ["apt-get", "-qq", *arguments],
        check=True,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"},
        stdout=subprocess.DEVNULL,
    )


def _epmd() -> str:
    found = shutil.which("epmd") or next(
        (str(path) for path in Path("/usr/lib/erlang").glob("erts-*/bin/epmd")), None
    )
    if found is None:
        raise RuntimeError("Erlang's epmd is not where RabbitMQ's package puts it")
    return found


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens at now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
