"""Mail by SMTP, encrypted by TLS or STARTTLS: text and HTML, with the pictures inline."""

import contextlib
import html
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from email.utils import formatdate
from hashlib import sha256
from typing import Any

from gateway.plugin_api import InvalidValue
from plugins.notifications.network import AddressPolicy, AddressRefused, AddressUnknown, Target
from plugins.notifications.senders.outcome import Message, Outcome

STARTTLS, TLS, PLAIN = ENCRYPTIONS = ("starttls", "tls", "none")
DEFAULT_PORTS = {STARTTLS: 587, TLS: 465, PLAIN: 25}
#: What browsers accept in a field for mail addresses (HTML, 4.10.5.1.5), with a dot in the domain or not.
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_MAIL_ADDRESS = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})*")
#: Of one step; and of the whole conversation, after which the connection is cut.
_STEP_SECONDS = 10.0
_TOTAL_SECONDS = 60.0
#: Notifications in one mail, and pictures among them.
MAX_MESSAGES = 20
_MAX_PICTURES = 5


def check_address(text: str) -> str | None:
    """What is wrong with a mail address, as the end of a sentence; None if nothing is."""
    if not _MAIL_ADDRESS.fullmatch(text):
        return "must be a mail address such as guard@example.org"
    return None


def build_mail(messages: Sequence[Message], config: Mapping[str, Any], public_url: str = "") -> EmailMessage:
    """One mail for one or several notifications."""
    mail = EmailMessage()
    first = messages[0]
    more = f" (and {len(messages) - 1} more)" if len(messages) > 1 else ""
    mail["Subject"] = _one_line(first.title) + more
    mail["From"] = config["sender"]
    mail["To"] = ", ".join(config["recipients"])
    mail["Date"] = formatdate(first.at_ms / 1000)
    mail["Message-ID"] = message_id([message.id for message in messages], config["sender"])
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content("\n\n".join(_as_text(message, public_url) for message in messages) + "\n")
    pictures = [message for message in messages if message.picture][:_MAX_PICTURES]
    content_ids = {message.id: f"{message.id}@vas" for message in pictures}
    body = "\n".join(_as_html(message, content_ids.get(message.id), public_url) for message in messages)
    mail.add_alternative(f"<!doctype html>\n<html><body>\n{body}\n</body></html>\n", subtype="html")
    part = mail.get_payload()[1]
    for message in pictures:
        part.add_related(
            message.picture, "image", "jpeg", cid=f"<{content_ids[message.id]}>", filename=f"{message.id}.jpg"
        )
    return mail


def message_id(ids: Sequence[str], sender: str) -> str:
    """The Message-ID of a mail: the same for the same notifications, so that mail programs drop repeats."""
    name = ids[0] if len(ids) == 1 else sha256(" ".join(ids).encode()).hexdigest()[:32]
    return f"<{name}@{sender.rpartition('@')[2]}>"


def send_mail(
    messages: Sequence[Message],
    config: Mapping[str, Any],
    password: str | None,
    policy: AddressPolicy,
    *,
    public_url: str = "",
    context: ssl.SSLContext | None = None,
) -> Outcome:
    """One attempt, in the calling thread. `context` replaces the trust in the system's authorities."""
    encryption = config.get("encryption") or STARTTLS
    try:
        target = policy.find_host(config["host"], config.get("port") or DEFAULT_PORTS[encryption])
        mail = build_mail(messages, config, public_url)
        context = context or ssl.create_default_context()
        refused = _deliver(mail, config, password=password, target=target, encryption=encryption, context=context)
    except (AddressRefused, AddressUnknown, InvalidValue) as error:
        return Outcome(ok=False, reason=error.reason, error=error.message)
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        return _refused(code, text, "the mail server refuses the recipients")
    except smtplib.SMTPAuthenticationError as error:
        return _refused(error.smtp_code, error.smtp_error, "the mail server refuses the login", is_final=False)
    except smtplib.SMTPResponseException as error:
        return _refused(error.smtp_code, error.smtp_error, "the mail server refuses the mail")
    except smtplib.SMTPNotSupportedError as error:
        return Outcome(ok=False, reason="tls_failed", error=f"the mail server cannot do it: {error}")
    except ssl.SSLError as error:
        return Outcome(ok=False, reason="tls_failed", error=f"the encrypted connection failed: {_explain_tls(error)}")
    except TimeoutError:
        return Outcome(ok=False, reason="timed_out", error="the mail server did not answer in time")
    except (smtplib.SMTPException, OSError, UnicodeError) as error:
        return Outcome(ok=False, reason="unreachable", error=f"the mail server cannot be reached: {_explain(error)}")
    if refused:
        names = ", ".join(sorted(refused))
        return Outcome(ok=True, status=250, answer=f"refused for {names}"[:500])
    return Outcome(ok=True, status=250)


class _Connection(smtplib.SMTP):
    """SMTP to the checked addresses."""

    def __init__(self, target: Target, encryption: str, context: ssl.SSLContext) -> None:
        self._target, self._encryption, self._context = target, encryption, context
        super().__init__(timeout=_STEP_SECONDS)
        self._host = target.host  # the name that STARTTLS expects in the certificate

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        failure: OSError | None = None
        for address in self._target.addresses:
            try:
                connection = socket.create_connection((address, port), timeout)
            except OSError as error:
                failure = error
                continue
            if self._encryption == TLS:
                return self._context.wrap_socket(connection, server_hostname=self._target.host)
            return connection
        raise failure or OSError("no address")


def _deliver(
    mail: EmailMessage,
    config: Mapping[str, Any],
    *,
    password: str | None,
    target: Target,
    encryption: str,
    context: ssl.SSLContext,
) -> dict[str, Any]:
    """Send a mail; returns the recipients that the server refused."""
    smtp = _Connection(target, encryption, context)
    limit = threading.Timer(_TOTAL_SECONDS, _cut, [smtp])
    limit.daemon = True
    limit.start()
    try:
        smtp.connect(target.host, target.port)
        if encryption == STARTTLS:
            smtp.starttls(context=context)
        if config.get("username"):
            smtp.login(config["username"], password or "")
        refused = smtp.send_message(mail, config["sender"], list(config["recipients"]))
        with contextlib.suppress(smtplib.SMTPException, OSError):  # the mail was accepted
            smtp.quit()
        return refused
    finally:
        limit.cancel()
        smtp.close()


def _cut(smtp: smtplib.SMTP) -> None:
    if smtp.sock is not None:
        with contextlib.suppress(OSError):
            smtp.sock.shutdown(socket.SHUT_RDWR)


def _refused(code: int, text: bytes | str, what: str, *, is_final: bool | None = None) -> Outcome:
    shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    final = 500 <= code < 600 if is_final is None else is_final
    return Outcome(ok=False, status=code, answer=shown[:500], reason="refused", error=what, is_final=final)


def _explain(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)[:200] or type(error).__name__


def _explain_tls(error: ssl.SSLError) -> str:
    return getattr(error, "verify_message", "") or error.reason or "unknown error"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]


def _as_text(message: Message, public_url: str) -> str:
    lines = [message.title, message.text]
    if public_url:
        lines.append(public_url + message.link)
    return "\n".join(line for line in lines if line)


def _as_html(message: Message, content_id: str | None, public_url: str) -> str:
    title = html.escape(message.title)
    if public_url:
        title = f'<a href="{html.escape(public_url + message.link, quote=True)}">{title}</a>'
    picture = f'<p><img src="cid:{content_id}" alt="" style="max-width:100%"></p>' if content_id else ""
    return f"<h3>{title}</h3>\n<p>{html.escape(message.text).replace(chr(10), '<br>')}</p>\n{picture}"
