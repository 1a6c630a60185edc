"""Opening an archive that the configuration names."""

from archives.sword import Sword
from config import Secrets, Settings


def open_archive(name: str, settings: Settings, secrets: Secrets) -> Sword:
    """The archive of this name, with its account. Raises SecretError."""
    archive = settings.archives[name]
    password = secrets.read(archive.password) if archive.password else None
    return Sword(archive, password, name=name)
