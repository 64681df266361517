"""Sending e-mail by the company's SMTP server."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import closing, suppress
from dataclasses import dataclass
from email.message import EmailMessage

from config import get_settings
from domain.errors import NovaError

SECONDS = 30.0
PERMANENT = 500


class MailRefused(NovaError):
    """The server will not take this message, now or later."""


class MailFailed(NovaError):
    """The server could not be reached, or will take the message later."""


def sender() -> str | None:
    """The address that e-mails come from; None where no mail server is set."""
    settings = get_settings()
    return settings.smtp_from if settings.smtp_host else None


@dataclass(frozen=True)
class MailServer:
    """Where messages are handed in. `tls` is starttls, tls or none."""

    host: str
    port: int = 587
    tls: str = "starttls"
    user: str | None = None
    password: str | None = None

    def send(self, message: EmailMessage) -> None:
        """Hands one message in. Raises MailRefused, MailFailed."""
        try:
            with closing(self._connected()) as server:
                if self.user and self.password:
                    server.login(self.user, self.password)
                server.send_message(message)
                with suppress(OSError, smtplib.SMTPException):  # it has taken the message
                    server.quit()
        except smtplib.SMTPRecipientsRefused as error:
            raise _of(*next(iter(error.recipients.values()))) from error
        except smtplib.SMTPAuthenticationError as error:
            raise MailFailed(f"{error.smtp_code} {_said(error.smtp_error)}") from error
        except smtplib.SMTPResponseException as error:
            raise _of(error.smtp_code, error.smtp_error) from error
        except (OSError, smtplib.SMTPException) as error:
            raise MailFailed(f"{self.host}:{self.port}: {error}") from error

    def _connected(self) -> smtplib.SMTP:
        if self.tls == "tls":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, timeout=SECONDS, context=context)
        server = smtplib.SMTP(self.host, self.port, timeout=SECONDS)
        if self.tls == "starttls":
            try:
                server.starttls(context=ssl.create_default_context())
            except BaseException:
                server.close()
                raise
        return server


def _of(code: int, said: bytes | str) -> NovaError:
    kind = MailRefused if code >= PERMANENT else MailFailed
    return kind(f"{code} {_said(said)}")


def _said(words: bytes | str) -> str:
    return words.decode(errors="replace") if isinstance(words, bytes) else words
